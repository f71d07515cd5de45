// SPDX-License-Identifier: MIT
// What the emitted header <name>.h of a workload is made of: parameters that take arrays of all kinds,
// and LoadedWorkload, which calls. docs/cpp.md says how they are used. C++17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>

#include "ptowsp/call.h"
#include "ptowsp/device.h"
#include "ptowsp/device_tensor.h"
#include "ptowsp/error.h"
#include "ptowsp/tensor_view.h"

// Compared by emitted headers; changes when what they are written in does.
#define PTOWSP_CXX_INTERFACE 1

namespace ptowsp {

// Argument: what was given for one tensor, and the tensor's name.
struct Argument {
  const char* name;
  const detail::Given* given;
};

namespace detail {

class Parameter {
 public:
  Argument named(const char* name) const { return {name, &given_}; }

 protected:
  explicit Parameter(const Given& given) : given_(given) {}

  // What S&& gives for a tensor of T: views and spans can be copied as they are and own nothing.
  template <typename T, typename S, std::size_t... Extents>
  static Given take(S& source, bool temporary) {
    Given given;
    if constexpr (IsDeviceTensor<Plain<S>>::value)
      given = Give<T, Extents...>::resident(source);
    else
      given = Give<T, Extents...>::from(source);
    given.temporary = temporary && !IsDeviceTensor<Plain<S>>::value &&
                      (Nested<S>::rank > 0 || !std::is_trivially_copyable_v<Plain<S>>);
    return given;
  }

 private:
  Given given_;
};

}  // namespace detail

// In: an input as a parameter: a TensorView<const T, Extents...>, or anything that becomes one, or a
// DeviceTensor<T, Extents...>. What the compiler cannot check is checked when the workload is called.
template <typename T, std::size_t... Extents>
class In : public detail::Parameter {
 public:
  template <typename S, typename = std::enable_if_t<!std::is_same_v<detail::Plain<S>, In>>>
  In(S&& source)
      : Parameter(take<const T, std::remove_reference_t<S>, Extents...>(
            source, !std::is_lvalue_reference_v<S>)) {}
};

// Out: an output, a TensorView<T, Extents...> or a DeviceTensor; InOut: an array that is read and written.
template <typename T, std::size_t... Extents>
class Out : public detail::Parameter {
 public:
  template <typename S, typename = std::enable_if_t<!std::is_same_v<detail::Plain<S>, Out>>>
  Out(S&& source)
      : Parameter(take<T, std::remove_reference_t<S>, Extents...>(
            source, !std::is_lvalue_reference_v<S>)) {}
};

template <typename T, std::size_t... Extents>
using InOut = Out<T, Extents...>;

// WorkloadIdentity: the artifact that a header belongs to.
struct WorkloadIdentity {
  const char* name;
  const char* source;  // base name of the workload file
  const char* source_hash;
  const char* version;
  const char* contract;
  const char* built_at;  // the folder it was built in, or null
};

// LoadedWorkload: an artifact, loaded onto a device. Calls may come from any threads.
class LoadedWorkload {
 public:
  // Loads the artifact in `folder`; where that is empty, the one that is found
  // (ptowsp_program_open() in ptowsp/glue_c.h says where). Throws ptowsp::Error when there is none, or
  // it is not the one that the header was emitted with.
  LoadedWorkload(Device& device, const WorkloadIdentity& identity, const std::string& folder) {
    ptowsp_program_options options = {};
    options.size = sizeof options;
    options.device = device.handle();
    options.name = identity.name;
    options.source = identity.source;
    options.source_hash = identity.source_hash;
    options.version = identity.version;
    options.contract = identity.contract;
    options.built_at = identity.built_at;
    ptowsp_program* program = nullptr;
    const int outcome =
        ptowsp_program_open(folder.empty() ? nullptr : folder.c_str(), &options, &program);
    handle_.reset(program);
    detail::check(outcome);
  }

  // The folder that was loaded.
  std::string artifact() const { return ptowsp_program_artifact(handle_.get()); }
  // For the C interface.
  ptowsp_program* handle() const noexcept { return handle_.get(); }

  // One run, with an argument for each tensor that is not temporary, in the workload's order.
  template <std::size_t kCount>
  Statistics call(const Argument (&arguments)[kCount]) {
    ptowsp_argument given[kCount];
    collect(arguments, given, /*stays=*/false);
    Statistics statistics = {};
    statistics.size = sizeof statistics;
    detail::check(ptowsp_program_call(handle_.get(), given, kCount, &statistics));
    return statistics;
  }

  // The same without throwing.
  template <std::size_t kCount>
  Result tryCall(const Argument (&arguments)[kCount]) noexcept {
    ptowsp_argument given[kCount];
    if (const Argument* wrong = tryCollect(arguments, given)) return Result(errorOf(*wrong));
    Statistics statistics = {};
    statistics.size = sizeof statistics;
    if (ptowsp_program_call(handle_.get(), given, kCount, &statistics) != PTOWSP_OK)
      return Result(detail::lastError());
    return Result(statistics);
  }

  // The same without waiting for the end.
  template <std::size_t kCount>
  Call startCall(const Argument (&arguments)[kCount]) {
    ptowsp_argument given[kCount];
    collect(arguments, given, /*stays=*/true);
    ptowsp_call* call = nullptr;
    detail::check(ptowsp_program_start(handle_.get(), given, kCount, &call));
    return Call(call);
  }

 private:
  static Error errorOf(const Argument& wrong) {
    return detail::faultOf(std::string("tensor ") + wrong.name, *wrong.given);
  }

  // The first argument that is not what its tensor takes, or null.
  template <std::size_t kCount>
  static const Argument* tryCollect(const Argument (&arguments)[kCount],
                                    ptowsp_argument (&given)[kCount]) {
    for (std::size_t i = 0; i < kCount; ++i) {
      const detail::Given& from = *arguments[i].given;
      if (from.fault != detail::Given::Fault::none) return &arguments[i];
      given[i] = {from.data, from.bytes, from.tensor};
    }
    return nullptr;
  }

  // `stays`: until the run is over, which ends after the expression with the arguments.
  template <std::size_t kCount>
  static void collect(const Argument (&arguments)[kCount], ptowsp_argument (&given)[kCount],
                      bool stays) {
    if (const Argument* wrong = tryCollect(arguments, given)) detail::raise(errorOf(*wrong));
    for (std::size_t i = 0; stays && i < kCount; ++i) {
      if (!arguments[i].given->temporary) continue;
      detail::Given gone = *arguments[i].given;
      gone.fault = detail::Given::Fault::gone;
      detail::raise(errorOf({arguments[i].name, &gone}));
    }
  }

  detail::Handle<ptowsp_program, ptowsp_program_close> handle_;
};

}  // namespace ptowsp
