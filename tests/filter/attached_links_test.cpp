#include "filter/attached_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filter/case.h"

namespace doorward::filter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string file(const std::string& type, const std::string& name, const std::string& content) {
  return "--b\nContent-Type: " + type + "; name=\"" + name + "\"\nContent-Disposition: attachment; filename=\"" + name +
         "\"\n\n" + content + "\n";
}

std::vector<std::string> links(const std::string& parts) {
  return attached_links(
      TestMail("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" + parts + "--b--\n").message);
}

TEST(AttachedLinks, OfTextsPagesCalendarsAndPictures) {
  EXPECT_THAT(links(file("text/plain", "a.txt", "see https://one.example/a and www.two.example.")),
              ElementsAre("https://one.example/a", "http://www.two.example"));
  EXPECT_THAT(links(file("text/html", "a.html", "<a href='https&#58;//one.example/?a=1&amp;b=2'>x</a>")),
              ElementsAre("https://one.example/?a=1&b=2"));
  EXPECT_THAT(links(file("text/calendar", "a.ics", "BEGIN:VEVENT\nURL:https://one.example/join\nEND:VEVENT")),
              ElementsAre("https://one.example/join"));
  EXPECT_THAT(links(file("image/svg+xml", "a.svg", "<svg><a href=\"https://one.example/\"><text>x</text></a></svg>")),
              ElementsAre("https://one.example/"));
}

TEST(AttachedLinks, GoByTheNameToo) {
  EXPECT_THAT(links(file("application/octet-stream", "invoice.HTM", "<a href='https://one.example/'>x</a>")),
              ElementsAre("https://one.example/"));
  EXPECT_THAT(links(file("application/octet-stream", "link.url", "[InternetShortcut]\nURL=http://one.example/x")),
              ElementsAre("http://one.example/x"));
}

TEST(AttachedLinks, OfPdfActions) {
  EXPECT_THAT(links(file("application/pdf", "a.pdf",
                         "%PDF-1.4\n1 0 obj <</Type/Annot/A<</S/URI/URI(https://one.example/a\\(1\\)?x)>>>> endobj\n"
                         "2 0 obj <</S /URI /URI\n <68747470733a2f2f74776f2e6578616d706c652f>>> endobj\n"
                         "3 0 obj <</URI (unterminated")),
              ElementsAre("https://one.example/a(1)?x", "https://two.example/"));
}

TEST(AttachedLinks, InUtf16AndBase64) {
  // "\xFF\xFEhttp://one.example/ " in UTF-16LE
  EXPECT_THAT(links("--b\nContent-Type: text/plain; name=a.txt\nContent-Transfer-Encoding: base64\n"
                    "Content-Disposition: attachment\n\n"
                    "//5oAHQAdABwADoALwAvAG8AbgBlAC4AZQB4AGEAbQBwAGwAZQAvACAA\n"),
              ElementsAre("http://one.example/"));
}

TEST(AttachedLinks, NotOfWhatIsNoTextOrShownAnyway) {
  EXPECT_THAT(links(file("application/zip", "a.zip", "PK https://one.example/")), IsEmpty());
  EXPECT_THAT(links(file("image/png", "a.png", "https://one.example/")), IsEmpty());
  EXPECT_THAT(links("--b\nContent-Type: text/plain\n\nhttps://one.example/\n"), IsEmpty());
}

TEST(AttachedLinks, AreBounded) {
  std::string text, many;
  for (int number = 0; number < 1000; ++number) text += "https://d" + std::to_string(number) + ".example/ ";
  EXPECT_EQ(links(file("text/plain", "a.txt", text)).size(), 200u);
  for (int number = 0; number < 30; ++number) {
    many += file("text/plain", "a.txt", "https://d" + std::to_string(number) + ".example/");
  }
  EXPECT_EQ(links(many).size(), 20u);
  EXPECT_THAT(links(file("text/plain", "a.txt", std::string(300 << 10, 'x') + " https://one.example/")), IsEmpty());
}

}  // namespace
}  // namespace doorward::filter
