#include "filter/base_words.h"

#include <span>
#include <string_view>

namespace doorward::filter {
namespace {

// Careful on purpose: what people who mean well hardly write, in few points a hit. How often each language's entries
// hit spam and good mail is in docs/filters/word_list.md.
struct Base {
  std::string_view pattern;
  double points;
  Spelling spelling = Spelling::similar;
};

constexpr Base kEnglish[] = {
    // medicines
    {"viagra", 2},
    {"cialis", 2},
    {"levitra", 2},
    {"erectile dysfunction", 2},
    {"penis enlargement", 2.5},
    {"human growth hormone", 2},
    {"online pharmacy", 1.5},
    {"without prescription", 1.5},
    {"no prescription needed", 2},
    {"lose weight", 1},
    {"weight loss", 1},
    {"burn fat", 1},
    // money
    {"work from home", 1},
    {"work at home", 1},
    {"earn extra money", 1.5},
    {"extra income", 1},
    {"financial freedom", 1},
    {"be your own boss", 1.5},
    {"make money fast", 1.5},
    {"get paid to", 1},
    {"multi level marketing", 1},
    {"mlm", 0.5, Spelling::exact},
    {"consolidate your debt*", 1.5},
    {"eliminate your debt*", 1.5},
    {"debt consolidation", 1},
    {"bad credit", 1},
    {"credit card debt", 1},
    {"low* mortgage rates", 1.5},
    {"mortgage quote*", 1},
    {"refinance your", 1},
    {"life insurance quote*", 1.5},
    {"cash bonus", 1},
    {"no purchase necessary", 1},
    {"risk free", 0.5},
    {"100% free", 1, Spelling::exact},
    {"money back guarantee", 1},
    {"satisfaction guaranteed", 1},
    {"limited time offer", 1},
    {"act now", 1},
    {"order now", 0.5},
    {"call toll free", 1},
    {"apply now", 0.5},
    {"special promotion", 1},
    // mailing lists for sale, and the excuses
    {"email addresses on cd", 1.5},
    {"bulk email", 0.5},
    {"million email addresses", 2},
    {"opt?in email", 1},
    {"this is not spam", 1.5},
    {"to be removed from", 0.3},
    {"remove in the subject", 1.5},
    {"removed from our mailing list", 0.5},
    {"you are receiving this email because you", 0.5},
    {"one time mailing", 1.5},
    {"section 301", 1.5, Spelling::exact},
    // advance fees
    {"next of kin", 2, Spelling::exact},
    {"million united states dollars", 2.5},
    {"million us dollars", 2},
    {"confidential business proposal", 2.5},
    {"transfer of funds", 1},
    {"foreign partner", 1.5},
    {"utmost confidence", 1.5},
    {"strictly confidential", 0.5},
    {"late husband", 1.5},
    {"barrister", 1, Spelling::exact},
    {"modalities", 1, Spelling::exact},
    {"compensation fund", 1.5},
    {"you have won", 1.5},
    {"lottery winner*", 2},
    {"winning notification", 2},
    {"claim your prize", 2},
    {"congratulations you", 1},
    // accounts and parcels
    {"verify your account", 1.5},
    {"confirm your account", 1},
    {"your account has been suspended", 2},
    {"your account will be *", 0.5},
    {"account has been limited", 2},
    {"unusual sign*in activity", 1.5},
    {"mailbox is full", 2},
    {"mailbox storage", 1.5},
    {"your password expires", 1.5},
    {"password is set to expire", 2},
    {"update your payment", 1},
    {"package could not be delivered", 1.5},
    {"unpaid shipping", 1.5},
    {"wallet suspended", 2},
    {"seed phrase", 1.5},
    {"claim your reward", 1.5},
    {"you have been selected", 1},
    {"bitcoin investment*", 1.5},
    {"crypto investment*", 1.5},
    {"double your *coin*", 2},
    // flesh
    {"hot singles", 1.5},
    {"adult dating", 1.5},
    {"horny", 1.5},

    {"porn*", 0.5},
    {"barely legal", 2},
    {"live webcam*", 1},
    // luck and copies
    {"online casino*", 1.5},
    {"casino bonus", 1.5},
    {"free spins", 1.5},
    {"replica watch*", 2},
    {"rolex replica*", 2},
    {"fake diploma*", 2},
    {"university diploma*", 1.5},
};

constexpr Base kGerman[] = {
    {"potenzmittel", 2},
    {"rezeptfrei*", 1.5},
    {"ohne rezept", 1.5},
    {"schnell abnehmen", 1.5},
    {"kilo abnehmen", 1.5},
    {"schnelles geld", 1.5},
    {"geld verdienen", 0.5},
    {"von zu hause aus", 0.5},
    {"passives einkommen", 1.5},
    {"finanzielle freiheit", 1.5},
    {"kredit ohne schufa", 2},
    {"sofortkredit*", 1.5},
    {"sie haben gewonnen", 2},
    {"gewinnbenachrichtigung", 2},
    {"gewinn abholen", 2},
    {"konto wurde *gesperrt", 2},
    {"konto wurde *eingeschränkt", 2},
    {"bestätigen sie ihre daten", 2},
    {"bestätigen sie ihr konto", 2},
    {"verifizieren sie ihr", 1.5},
    {"ihr paket konnte nicht", 1.5},
    {"sendung konnte nicht zugestellt", 1.5},
    {"pushtan*", 1},
    {"photo?tan*", 1},
    {"kontosperrung", 1.5},
    {"sicherheitsüberprüfung", 0.5},
    {"online casino*", 1.5},
    {"freispiele", 1.5},
    {"bitcoin code", 2},
    {"sexkontakt*", 2},
    {"seitensprung", 1.5},
    {"heiße frauen", 2},
    {"unverbindlich testen", 0.5},
    {"jetzt gratis", 1},
};

constexpr Base kDutch[] = {
    {"zonder recept", 1.5},
    {"erectiepillen", 2},
    {"snel afvallen", 1.5},
    {"snel geld verdienen", 2},
    {"geld verdienen", 0.5},
    {"u heeft gewonnen", 2},
    {"prijs gewonnen", 1.5},
    {"uw account is geblokkeerd", 2},
    {"uw rekening is geblokkeerd", 2},
    {"uw account is beperkt", 2},
    {"bevestig uw gegevens", 2},
    {"bevestig uw account", 1.5},
    {"verifieer uw", 1.5},
    {"uw betaalpas", 1.5},
    {"nieuwe bankpas", 1.5},
    {"uw digid", 1},
    {"pakket kon niet worden", 1.5},
    {"verzendkosten betalen", 1.5},
    {"lening zonder bkr", 2},
    {"gratis spins", 1.5},
    {"online casino*", 0.5},
    {"sexcontact*", 2},
    {"geile *", 1.5},
};

void add(WordList& list, std::span<const Base> words) {
  for (const auto& word : words) {
    list.entries.push_back(
        {.pattern = std::string(word.pattern), .points = sheet::Points::of(word.points), .spelling = word.spelling});
  }
}

}  // namespace

const WordList& base_word_list() {
  static const WordList list = [] {
    WordList made{.id = kBaseWordList, .name = "base", .entries = {}};
    add(made, kEnglish);
    add(made, kGerman);
    add(made, kDutch);
    return made;
  }();
  return list;
}

}  // namespace doorward::filter
