// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <limits>

#include "runtime_glue/run/json_writer.h"
#include "runtime_glue/run/report.h"

namespace ptowsp::run {
namespace {

Report rightReport() {
  Report report;
  report.name = "scale";
  report.runs = 1;
  report.wall_ns = {50000};
  report.stats.tasks = 1;
  report.compared = true;
  report.tensors.resize(1);
  report.tensors[0].comparison.compared = 12;
  return report;
}

TEST(Line, Right) {
  EXPECT_EQ(lineText(rightReport(), false),
            "scale: right. 1 task, 0.050 ms, largest error 0 (abs) 0 (rel).\n");
}

TEST(Line, ColourIsAroundTheWordOnly) {
  EXPECT_EQ(lineText(rightReport(), true).substr(0, 24), "scale: \033[32mright.\033[0m 1");
}

TEST(Line, RepeatedRunsShowTheMedian) {
  Report report = rightReport();
  report.runs = 3;
  report.wall_ns = {9000000, 1000000, 2000000};
  report.tensors[0].comparison.max_abs = 1.25e-7;
  EXPECT_EQ(lineText(report, false),
            "scale: right. 1 task, 3 runs, 2.00 ms, largest error 1.25e-07 (abs) 0 (rel).\n");
}

TEST(Line, FailedRunsCountTheirTasks) {
  Report report = rightReport();
  report.status.outcome = glue::Outcome::run_failure;
  report.stats.tasks = 8;
  report.stats.completed = 3;
  EXPECT_EQ(lineText(report, false), "scale: failed. 3 of 8 tasks ran.\n");
}

TEST(Failure, PlaceMessageNotesFix) {
  glue::Status status = glue::Status::badArtifact("a.json", "found 1, expected 2", "write 2");
  status.notes = {"at /x"};
  EXPECT_EQ(failureText(status, false),
            "a.json: error: found 1, expected 2\n  note: at /x\n  fix: write 2\n");
  EXPECT_EQ(failureText(status, true).substr(0, 26), "a.json: \033[1;31merror:\033[0m ");
  status.outcome = glue::Outcome::skipped;
  EXPECT_EQ(failureText(status, false).substr(0, 17), "a.json: skipped: ");
}

TEST(Stats, ListCoresThatRanSomething) {
  Report report = rightReport();
  report.stats.cores = 6;
  report.stats.aicpus = 2;
  report.stats.workers = 2;
  report.stats.wall_ns = 1000;
  report.core_busy_ns = {0, 0, 500, 0, 250, 0};
  const std::string text = statsText(report);
  EXPECT_NE(text.find("  cores           6 (2 AIC, 4 AIV), 2 AICPUs\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  core            2 (AIV): 50.0 % busy, 0.0005 ms\n"), std::string::npos);
  EXPECT_NE(text.find("  core            4 (AIV): 25.0 % busy, 0.0003 ms\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("  idle cores      4\n"), std::string::npos);
}

TEST(Stats, SayForHowManyBlocksAPredictionIs) {
  Report report = rightReport();
  EXPECT_EQ(statsText(report).find("predicted"), std::string::npos);
  report.predicted_cycles = 1234;
  EXPECT_NE(statsText(report).find("  predicted       1234 cycles on any number of blocks\n"),
            std::string::npos);
  report.predicted_blocks = 2;
  EXPECT_NE(statsText(report).find("  predicted       1234 cycles on 2 blocks\n"), std::string::npos);
}

TEST(JsonWriter, EscapesAndSeparates) {
  JsonWriter json;
  json.beginObject().key("a\"b\\").value("line\nend\x01").key("list").beginArray();
  json.value(1).value(-2).value(true).value(0.1).value(uint64_t{18446744073709551615u});
  json.beginObject().endObject().endArray();
  json.key("odd").beginArray().value(std::numeric_limits<double>::infinity());
  json.value(-std::numeric_limits<double>::infinity());
  json.value(std::numeric_limits<double>::quiet_NaN()).microseconds(1234567).endArray().endObject();
  EXPECT_EQ(json.text(),
            "{\"a\\\"b\\\\\":\"line\\u000aend\\u0001\","
            "\"list\":[1,-2,true,0.1,18446744073709551615,{}],"
            "\"odd\":[\"inf\",\"-inf\",\"nan\",1234.567]}");
}

}  // namespace
}  // namespace ptowsp::run
