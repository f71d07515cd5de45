// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime_glue/glue/manifest_reader.h"
#include "tests/unit/glue/manifest_samples.h"

namespace ptowsp::glue {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr const char* kFix =
    "delete the artifact's folder and build the workload's target again, with one version of PtoWsp";

TEST(Manifest, IsReadWhole) {
  Manifest manifest;
  const Status status = parseManifest(manifestText(), "m.json", &manifest);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_EQ(manifest.name, "mix");
  EXPECT_EQ(manifest.display_name, "a mix");
  EXPECT_EQ(manifest.source_hash, "0123456789abcdef");
  EXPECT_EQ(manifest.orchestration_function, "build_pto_wsp_graph");
  ASSERT_EQ(manifest.tensors.size(), 3u);
  EXPECT_EQ(manifest.tensors[1].dtype, ElementType::f16);
  EXPECT_EQ(manifest.tensors[1].role, TensorRole::temporary);
  EXPECT_THAT(manifest.tensors[1].shape, ElementsAre(4, 8));
  EXPECT_EQ(manifest.tensors[1].elements(), 32u);
  EXPECT_DOUBLE_EQ(manifest.tensors[2].rtol, 1e-4);
  ASSERT_EQ(manifest.kernels.size(), 2u);
  EXPECT_EQ(manifest.kernels[1].core_type, "aic");
  EXPECT_EQ(manifest.kernels[1].tiles[0].access, TileAccess::inout);
  EXPECT_TRUE(manifest.kernels[0].tiles[0].strided);
  EXPECT_THAT(manifest.kernels[0].scalars, ElementsAre("s"));
  EXPECT_EQ(manifest.graph.edges, 2);
  EXPECT_EQ(manifest.program.tasks, 14);
}

TEST(Ready, IsReadWhole) {
  Ready ready;
  const Status status = parseReady(readyText(), "ready", &ready);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_THAT(ready.kernel_arch, ElementsAre("x86-64-v3", "x86-64-v4"));
  EXPECT_THAT(ready.orchestrations, ElementsAre(Pair("builtin", "orchestration.builtin.so")));
  EXPECT_EQ(ready.kernels.at("done").at("x86-64-v4"), "done4.so");
  EXPECT_EQ(ready.block_dim, 2);
}

struct Bad {
  const char* from;
  const char* to;
  const char* path;
  const char* message;
};

class BadManifest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadManifest, IsRefused) {
  const std::string text = with(manifestText(), GetParam().from, GetParam().to);
  ASSERT_FALSE(text.empty()) << "nothing to replace";
  Manifest manifest;
  const Status status = parseManifest(text, "m.json", &manifest);
  EXPECT_EQ(status.outcome, Outcome::bad_artifact);
  EXPECT_EQ(status.place, "m.json");
  EXPECT_EQ(status.message, GetParam().message);
  EXPECT_THAT(status.notes, ElementsAre(std::string("at ") + GetParam().path));
  EXPECT_EQ(status.fix, kFix);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadManifest,
    ::testing::Values(
        Bad{"\"ptowsp_manifest\": 1", "\"ptowsp_manifest\": 2", "/ptowsp_manifest",
            "found format 2, expected 1, the one this version of PtoWsp reads"},
        Bad{"\"ptowsp_manifest\": 1,", "", "/", "found no key \"ptowsp_manifest\", expected one"},
        Bad{"\"version\": \"" PTOWSP_VERSION "\"", "\"version\": \"9.9.9\"", "/version",
            "found version 9.9.9, expected " PTOWSP_VERSION ", the version of this program"},
        Bad{"\"G1\"", "\"G2\"", "/contract",
            "found contract G2, expected G1, the one this version of PtoWsp drives"},
        Bad{"\"name\": \"mix\"", "\"name\": \"\"", "/name", "found \"\", expected a name"},
        Bad{"\"name\": \"mix\"", "\"name\": 7", "/name", "found 7, expected a string"},
        Bad{"\"function\": \"build_pto_wsp_graph\"", "\"f\": 1", "/orchestration",
            "found no key \"function\", expected one"},
        Bad{"\"dtype\": \"f16\"", "\"dtype\": \"f64\"", "/tensors/1/dtype",
            "found \"f64\", expected f32, f16, bf16 or i32"},
        Bad{"\"role\": \"output\"", "\"role\": \"out\"", "/tensors/2/role",
            "found \"out\", expected input, output, inout or temporary"},
        Bad{"[4, 8]", "[4, 0]", "/tensors/0/shape/1", "found 0, expected an integer of at least 1"},
        Bad{"[4, 8]", "[4, 8.5]", "/tensors/0/shape/1",
            "found 8.5, expected an integer of at least 1"},
        Bad{"[4, 8]", "[]", "/tensors/0/shape", "found [], expected at least one extent"},
        Bad{"[4, 8]", "[4611686018427387904, 4611686018427387904]", "/tensors/0/shape",
            "found [4611686018427387904,4611686018427387904], expected a size below 2^63 bytes"},
        Bad{"[4, 8]", "\"4x8\"", "/tensors/0/shape", "found \"4x8\", expected an array"},
        Bad{"\"bytes\": 128", "\"bytes\": 132", "/tensors/0/bytes",
            "found 132, expected 128, what dtype and shape make"},
        Bad{"\"rtol\": 0.0001", "\"rtol\": -1", "/tensors/0/rtol",
            "found -1, expected a number of at least 0"},
        Bad{"\"func_id\": 1", "\"func_id\": 3", "/kernels/1/func_id",
            "found 3, expected an integer from 1 to 1"},
        Bad{"\"aiv\"", "\"gpu\"", "/kernels/0/core_type", "found \"gpu\", expected aic or aiv"},
        Bad{"\"access\": \"in\"", "\"access\": \"r\"", "/kernels/0/tiles/0/access",
            "found \"r\", expected in, out or inout"},
        Bad{"\"strided\": true", "\"strided\": 1", "/kernels/0/tiles/0/strided",
            "found 1, expected true or false"},
        Bad{"\"scalars\": []",
            "\"scalars\": [], \"split\": {\"kernel\": \"k\", \"stage\": 2, \"stages\": 2}",
            "/kernels/1/split/stage", "found 2, expected an integer from 0 to 1"},
        Bad{"[\"s\"]", "[5]", "/kernels/0/scalars/0", "found 5, expected a string"},
        Bad{"\"tasks\": 14", "\"tasks\": 15", "/graph/tasks",
            "found 15 tasks, expected 14, the number in /program"},
        Bad{"\"tasks\": 14", "\"tasks\": 99999999999", "/graph/tasks",
            "found 99999999999, expected an integer from 0 to 2147483647"},
        Bad{"\"segments\": 1", "\"segments\": 2", "/graph/cuts",
            "found 0 cuts, expected one fewer than segments"},
        Bad{"\"cuts\": []", "\"cuts\": [14]", "/graph/cuts/0",
            "found 14, expected an integer from 1 to 13"},
        Bad{"\"cuts\": []", "\"cuts\": [5, 5]", "/graph/cuts/1",
            "found 5, expected an integer from 6 to 13"},
        Bad{"\"spills\": []", "\"spills\": [{\"name\": \"y\", \"bytes\": 128}]",
            "/graph/spills/0",
            "found {\"bytes\":128,\"name\":\"y\"}, expected name and bytes of a temporary"},
        Bad{"\"relay\": null", "\"relay\": {\"name\": \"r\", \"func_id\": 1}", "/relay/func_id",
            "found 1, expected an integer from 2 to 2"},
        Bad{"{\"task\": 0}", "{\"task\": 2}", "/program/0/body/0/body/0/task",
            "found 2, expected an integer from 0 to 1"},
        Bad{"{\"task\": 0}", "{\"run\": 2}", "/program/0/body/0/body/0",
            "found {\"run\":2}, expected a key task, for, sequential, combine, connect, process, send "
            "or consume"},
        Bad{"{\"task\": 0}", "{\"send\": 0, \"body\": []}", "/program/0/body/0/body/0/send",
            "found 0, expected an integer from 0 to -1"},
        Bad{"{\"task\": 0}", "{\"process\": \"p\", \"body\": []}", "/program/0/body/0/body/0",
            "found {\"body\":[],\"process\":\"p\"}, expected no process outside of a connect node"},
        Bad{"{\"task\": 0}", "{\"connect\": [{\"task\": 0}]}", "/program/0/body/0/body/0/connect/0",
            "found {\"task\":0}, expected a process"},
        Bad{"\"extent\": 3", "\"extent\": 9223372036854775807", "/program/0/body",
            "found more tasks than can be counted"},
        Bad{"\"schedule\": []", "\"schedule\": {}", "/schedule", "found {}, expected an array"}));

TEST(BadManifestText, SaysWhere) {
  Manifest manifest;
  Status status = parseManifest("{\n  \"a\": ]\n}", "m.json", &manifest);
  EXPECT_EQ(status.message, "not JSON: found an error at line 2, column 8");
  EXPECT_EQ(parseManifest("[1]", "m.json", &manifest).message, "found [1], expected an object");
}

// However much of a file is missing, the answer is an error and never a crash.
TEST(BadManifestText, EveryTruncationIsRefused) {
  const std::string text = manifestText(), ready_text = readyText();
  for (size_t size = 0; size + 2 < text.size(); ++size) {
    Manifest manifest;
    const Status status = parseManifest(text.substr(0, size), "m.json", &manifest);
    ASSERT_EQ(status.outcome, Outcome::bad_artifact) << size;
    ASSERT_NE(status.message.find("truncated: found the end of the file after " +
                                  std::to_string(size) + " bytes"),
              std::string::npos)
        << status.message;
  }
  for (size_t size = 0; size + 2 < ready_text.size(); ++size) {
    Ready ready;
    ASSERT_FALSE(parseReady(ready_text.substr(0, size), "ready", &ready).ok()) << size;
  }
}

// Deep nesting must not overflow the stack.
TEST(BadManifestText, DeepNestingIsRefused) {
  std::string open, close;
  for (int i = 0; i < 50000; ++i) {
    open += "{\"sequential\":[";
    close += "]}";
  }
  Manifest manifest;
  const std::string text = with(manifestText(), "{\"task\": 0}", open + "{\"task\":0}" + close);
  EXPECT_EQ(parseManifest(text, "m.json", &manifest).message,
            "found nodes nested too deeply to read");
}

class BadReady : public ::testing::TestWithParam<Bad> {};

TEST_P(BadReady, IsRefused) {
  const std::string text = with(readyText(), GetParam().from, GetParam().to);
  ASSERT_FALSE(text.empty()) << "nothing to replace";
  Ready ready;
  const Status status = parseReady(text, "ready", &ready);
  EXPECT_EQ(status.outcome, Outcome::bad_artifact);
  EXPECT_EQ(status.message, GetParam().message);
  EXPECT_THAT(status.notes, ElementsAre(std::string("at ") + GetParam().path));
  EXPECT_EQ(status.fix, kFix);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadReady,
    ::testing::Values(Bad{"\"ptowsp_ready\": 1", "\"ptowsp_ready\": 0", "/ptowsp_ready",
                          "found format 0, expected 1, the one this version of PtoWsp reads"},
                      Bad{"\"manifest\": \"manifest.json\",", "", "/",
                          "found no key \"manifest\", expected one"},
                      Bad{"[\"x86-64-v3\", \"x86-64-v4\"]", "[3]", "/kernel_arch/0",
                          "found 3, expected a string"},
                      Bad{"{\"builtin\": \"orchestration.builtin.so\"}", "{\"builtin\": \"\"}",
                          "/orchestrations/builtin", "found \"\", expected a file name"},
                      Bad{"{\"x86-64-v3\": \"load3.so\", \"x86-64-v4\": \"load4.so\"}", "[]",
                          "/kernels/load", "found [], expected an object"},
                      Bad{"\"block_dim\": 2", "\"block_dim\": -1", "/block_dim",
                          "found -1, expected an integer from 0 to 1048576"},
                      Bad{"\"block_dim\": 2", "\"block_dim\": 18446744073709551615", "/block_dim",
                          "found 18446744073709551615, expected an integer from 0 to 1048576"}));

}  // namespace
}  // namespace ptowsp::glue
