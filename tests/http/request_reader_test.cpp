#include "http/request_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace doorward::http {
namespace {

using Status = RequestReader::Status;

// The status a request is refused with; 0 where it is complete, -1 where more is awaited.
int outcome(std::string_view bytes) {
  RequestReader reader(1000, 100);
  const Status status = reader.feed(bytes);
  return status == Status::failed ? reader.failure() : status == Status::done ? 0 : -1;
}

std::string with(std::string_view line) { return "GET / HTTP/1.1\r\nHost: x\r\n" + std::string(line) + "\r\n\r\n"; }

TEST(RequestReader, HoweverItIsCut) {
  const std::string bytes =
      "POST /a%20b?c=d&e HTTP/1.1\r\nHost: x\r\nX-One: 1\r\nContent-Length: 5\r\n\r\nhello"
      "GET http://x/metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const size_t piece : {1U, 3U, 50U, 1000U}) {
    RequestReader reader(1000, 100);
    std::vector<Request> requests;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      auto status = reader.feed(std::string_view(bytes).substr(at, piece));
      while (status == Status::done) {
        requests.push_back(reader.take());
        EXPECT_TRUE(reader.keep_alive());
        status = reader.feed({});
      }
      ASSERT_NE(status, Status::failed) << reader.failure();
    }
    ASSERT_EQ(requests.size(), 2U) << piece;
    EXPECT_EQ(requests[0].method, "POST");
    EXPECT_EQ(requests[0].path, "/a b");
    EXPECT_EQ(requests[0].query, "c=d&e");
    EXPECT_EQ(requests[0].header("x-ONE"), "1");
    EXPECT_EQ(requests[0].header("none"), "");
    EXPECT_EQ(requests[0].body, "hello");
    EXPECT_EQ(requests[1].path, "/metrics");
    EXPECT_TRUE(reader.idle());
  }
}

TEST(RequestReader, ChunkedBodies) {
  RequestReader reader(1000, 100);
  ASSERT_EQ(
      reader.feed("PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
      Status::done);
  EXPECT_EQ(reader.take().body, "abcde");
}

// Beast's parser asserts where the end of an empty body comes octet by octet.
TEST(RequestReader, ChunkedBodiesHoweverTheyAreCut) {
  for (const std::string body : {"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n"}) {
    const std::string bytes = "PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
    for (size_t piece = 1; piece < bytes.size(); ++piece) {
      RequestReader reader(1000, 100);
      auto status = Status::need_more;
      for (size_t at = 0; at < bytes.size(); at += piece)
        status = reader.feed(std::string_view(bytes).substr(at, piece));
      ASSERT_EQ(status, Status::done) << piece;
      EXPECT_EQ(reader.take().body, body.size() > 5 ? "abc" : "");
    }
  }
}

TEST(RequestReader, KeepAliveByVersionAndHeader) {
  RequestReader reader(1000, 100);
  ASSERT_EQ(reader.feed("GET / HTTP/1.0\r\n\r\n"), Status::done);
  EXPECT_FALSE(reader.keep_alive());
  ASSERT_EQ(reader.feed(with("Connection: close")), Status::done);
  EXPECT_FALSE(reader.keep_alive());
  ASSERT_EQ(reader.feed(with("Connection: keep-alive")), Status::done);
  EXPECT_TRUE(reader.keep_alive());
}

TEST(RequestReader, Refusals) {
  EXPECT_EQ(outcome(with("X: 1")), 0);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: x\r\n"), -1);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
  EXPECT_EQ(outcome(with("Host: y")), 400) << "two Hosts";
  EXPECT_EQ(outcome("nonsense\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET / HTTP/3.7\r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(outcome("GET noslash HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(outcome("GET /%0d%0aX HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(outcome(with("X: " + std::string(2000, 'a'))), 431);
  EXPECT_EQ(outcome("GET /" + std::string(2000, 'a')), 431);
  EXPECT_EQ(outcome(with("Content-Length: 101")), 413);
  EXPECT_EQ(outcome(with("Content-Length: -1")), 400);
  EXPECT_EQ(outcome(with("Content-Length: 1\r\nContent-Length: 2")), 400);
  EXPECT_NE(outcome(with("Content-Length: 3\r\nTransfer-Encoding: chunked")), 0) << "two lengths: request smuggling";
  EXPECT_EQ(outcome(with("Transfer-Encoding: chunked") + "ffffff\r\n" + std::string(200, 'a')), 413);
  // Where an unknown coding ends, nobody can say: what follows could be taken for another request.
  EXPECT_EQ(outcome(with("Transfer-Encoding: gzip")), 501);
  EXPECT_EQ(outcome(with("Transfer-Encoding: gzip, chunked") + "0\r\n\r\n"), 501);
  EXPECT_NE(outcome(with("Transfer-Encoding: chunked, gzip")), 0);
  EXPECT_NE(outcome("POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 0);
}

TEST(RequestReader, WhatStandsBetweenAndBehindChunksIsBounded) {
  const std::string head = with("Transfer-Encoding: chunked");
  for (const std::string begin : {"5;", "0\r\nX: "}) {
    RequestReader reader(1000, 100);
    ASSERT_EQ(reader.feed(head + begin), Status::need_more);
    size_t fed = 0;
    while (fed < 1'000'000 && reader.feed(std::string(100, 'a')) == Status::need_more) fed += 100;
    EXPECT_LE(fed, 1100U) << begin;
    EXPECT_EQ(reader.failure(), 431) << begin;
  }
  EXPECT_EQ(outcome(head + "0\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n"), 431) << "longer than a field can be";
}

TEST(RequestReader, ExpectContinueIsAnsweredOnce) {
  RequestReader reader(1000, 100);
  ASSERT_EQ(reader.feed("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
            Status::need_more);
  EXPECT_TRUE(reader.wants_continue());
  EXPECT_FALSE(reader.wants_continue());
  EXPECT_EQ(reader.feed("ab"), Status::done);
}

TEST(Response, HeadCannotBeSplit) {
  Response response(200, "hello");
  response.headers.push_back({"X-A", "b\r\nX-Evil: 1"});
  EXPECT_EQ(response.head(true, 784111777),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 5\r\nX-A: b  X-Evil: 1\r\nConnection: keep-alive\r\n\r\n");
}

}  // namespace
}  // namespace doorward::http
