// centre_load: reports reference ids to a detection centre and asks about them, over kept connections, as gateways do.
//
//   centre_load URL TOKEN report FIRST COUNT               reports COUNT different ids as spam
//   centre_load URL TOKEN ask FIRST COUNT CONNECTIONS BATCH SECONDS   asks about random ones of them
//
// Prints "questions N known N seconds S".
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/client.h"
#include "trust/reference_batch.h"
#include "trust/reference_id.h"

namespace doorward::bench {
namespace {

using namespace std::chrono_literals;

// A mail of ordinary size: text, HTML, one attachment.
std::string id_of(uint64_t number) {
  std::mt19937_64 random(number);
  trust::Fingerprint print{};
  print.has_text = print.has_structure = true;
  for (auto& band : print.text_bands) band = random();
  for (auto& band : print.structure_bands) band = random();
  print.attachments = 1;
  print.attachment_digests[0] = random();
  static const auto key = *trust::ReferenceKey::of(std::string(32, 'k'), 1);
  return key.id_of(print, {trust::Sender{random() | 1}});
}

struct Load {
  std::string url, token;
  bool asks = false;
  uint64_t first = 0, count = 0;
  size_t connections = 4, batch = trust::kMostInBatch;
  std::chrono::seconds time{0};
  uint64_t next = 0, questions = 0, known = 0;
  size_t running = 0;
};

Task<void> run(Load& load, net::Core& core, uint64_t seed) {
  http::Client client(core, {.origin = *http::Origin::parse(load.url)});
  std::mt19937_64 random(seed);
  const auto until = std::chrono::steady_clock::now() + load.time;
  // Made before, so that what is measured is the centre.
  std::vector<std::string> bodies;
  for (int body = 0; load.asks && body < 200; ++body) {
    std::vector<std::string> ids;
    for (size_t at = 0; at < load.batch; ++at) ids.push_back(id_of(load.first + random() % load.count));
    bodies.push_back(trust::questions_text(ids));
  }
  while (load.asks ? std::chrono::steady_clock::now() < until : load.next < load.count) {
    http::Request request;
    request.method = "POST";
    request.path = load.asks ? "/v1/ask" : "/v1/report";
    request.headers = {{"Authorization", "Bearer " + load.token}};
    if (load.asks) {
      request.body = bodies[random() % bodies.size()];
    } else {
      std::vector<trust::ReportedReference> reports;
      while (reports.size() < load.batch && load.next < load.count) {
        reports.push_back({trust::Report::spam, id_of(load.first + load.next++)});
      }
      request.body = trust::reports_text(reports);
    }
    const auto response = co_await client.send(request, std::chrono::steady_clock::now() + 30s);
    if (!response) throw std::runtime_error(response.error().text());
    if (response->status == 429) {
      co_await core.sleep(100ms);
      load.next -= load.asks ? 0 : std::min<uint64_t>(load.next, load.batch);
      continue;
    }
    if (response->status / 100 != 2) throw std::runtime_error(response->body);
    if (!load.asks) continue;
    const auto answers = trust::parse_answers(response->body);
    if (!answers || answers->size() != load.batch) throw std::runtime_error("not the answers to the questions");
    load.questions += answers->size();
    for (const auto& answer : *answers) load.known += answer.known;
  }
  if (--load.running == 0) core.stop();
}

int work(const std::vector<std::string>& words) {
  if (words.size() < 6) throw std::runtime_error("see the head of centre_load.cpp");
  Load load{.url = words[1], .token = words[2], .asks = words[3] == "ask"};
  load.first = std::stoull(words[4]);
  load.count = std::stoull(words[5]);
  if (load.asks) {
    load.connections = std::stoul(words.at(6));
    load.batch = std::stoul(words.at(7));
    load.time = std::chrono::seconds(std::stoi(words.at(8)));
  }
  net::Core core(0);
  load.running = load.connections;
  const auto begun = std::chrono::steady_clock::now();
  for (size_t at = 0; at < load.connections; ++at) {
    core.post([&load, &core, at] { spawn(run(load, core, at + 1)); });
  }
  core.run();
  std::printf("questions %llu known %llu seconds %.3f\n", static_cast<unsigned long long>(load.questions),
              static_cast<unsigned long long>(load.known),
              std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  return 0;
}

}  // namespace
}  // namespace doorward::bench

int main(int argc, char** argv) try {
  return doorward::bench::work({argv, argv + argc});
} catch (const std::exception& failure) {
  std::fprintf(stderr, "centre_load: %s\n", failure.what());
  return 1;
}
