// SPDX-License-Identifier: MIT
// ptowsp::TensorView: a dense, row-major array on the host with the element type and the shape of a
// tensor, which belongs to somebody else; and how arrays of all kinds become one. C++17.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>

#include "ptowsp/error.h"
#include "ptowsp/float16.h"

namespace ptowsp {

template <typename T, std::size_t... Extents>
class TensorView;
template <typename T, std::size_t... Extents>
class DeviceTensor;

namespace detail {

constexpr std::size_t kMaxShownRank = 8;

// Given: what was given for a tensor. `fault` is looked at when the tensor's name is known.
struct Given {
  enum class Fault { none, null, count, shape, strides, gone };

  void* data = nullptr;
  ptowsp_tensor* tensor = nullptr;  // instead of data: on the device
  // An array that ends with the expression it was made in: not for a run that goes on after it.
  bool temporary = false;
  std::uint64_t bytes = 0;  // of the tensor
  Fault fault = Fault::none;
  // With a fault: the count of elements, the shape or the strides that were found.
  std::size_t rank = 0;
  std::uint64_t found[kMaxShownRank] = {};
  // What is expected; static memory.
  const char* dtype = "";
  const std::size_t* extents = nullptr;
  std::size_t expected_rank = 0;
};

template <typename T>
struct DType;  // of an element type that no tensor has: see the error below
template <>
struct DType<float> { static constexpr const char* name = "f32"; };
template <>
struct DType<f16> { static constexpr const char* name = "f16"; };
template <>
struct DType<bf16> { static constexpr const char* name = "bf16"; };
template <>
struct DType<std::int32_t> { static constexpr const char* name = "i32"; };

// Whether arrays of U are arrays of T's dtype.
template <typename U, typename T>
struct IsElement : std::is_same<U, T> {};
#ifdef __FLT16_MANT_DIG__
template <>
struct IsElement<_Float16, f16> : std::true_type {};
#endif
#ifdef __STDCPP_BFLOAT16_T__
template <>
struct IsElement<decltype(0.0bf16), bf16> : std::true_type {};
#endif

template <typename T, std::size_t... Extents>
struct Shape {
  static_assert(sizeof...(Extents) > 0 && ((Extents > 0) && ...), "a tensor has extents above 0");
  static constexpr std::size_t rank = sizeof...(Extents);
  static constexpr std::size_t extents[rank] = {Extents...};
  static constexpr std::size_t size = (Extents * ...);
};

template <typename>
constexpr bool kNever = false;

template <typename S>
using Plain = std::remove_cv_t<std::remove_reference_t<S>>;

template <typename>
struct IsDeviceTensor : std::false_type {};
template <typename T, std::size_t... Extents>
struct IsDeviceTensor<DeviceTensor<T, Extents...>> : std::true_type {};

template <typename S>
struct IsTensorView : std::false_type {};
template <typename T, std::size_t... Extents>
struct IsTensorView<TensorView<T, Extents...>> : std::true_type {};

// ---- what kind of array S is ----

template <typename S, typename = void>
struct IsMdspan : std::false_type {};
template <typename S>
struct IsMdspan<S, std::void_t<decltype(std::declval<const S&>().data_handle()),
                               decltype(std::declval<const S&>().extents().extent(0))>>
    : std::true_type {};

template <typename S, typename = void>
struct IsContiguous : std::false_type {};
template <typename S>
struct IsContiguous<S, std::void_t<decltype(std::data(std::declval<S&>())),
                                   decltype(std::size(std::declval<S&>()))>> : std::true_type {};

template <typename S, typename = void>
struct HasStride : std::false_type {};
template <typename S>
struct HasStride<S, std::void_t<decltype(std::declval<const S&>().stride(0))>> : std::true_type {};

// Whether the type says the number of its elements, and how many that are: std::span<T, N>.
template <typename S, typename = void>
struct StaticSize {
  static constexpr std::size_t value = static_cast<std::size_t>(-1);
};
template <typename S>
struct StaticSize<S, std::enable_if_t<std::is_convertible_v<decltype(S::extent), std::size_t>>> {
  static constexpr std::size_t value = S::extent;
};

// Nested arrays, built-in or std::array: their extents, and what they are arrays of.
template <typename S>
struct Nested {
  using Element = S;
  static constexpr std::size_t rank = 0;
  static constexpr bool fits(const std::size_t*) { return true; }
  static constexpr std::size_t size = 1;
};
template <typename S, std::size_t N>
struct NestedOf {
  using Element = typename Nested<S>::Element;
  static constexpr std::size_t rank = 1 + Nested<S>::rank;
  static constexpr bool fits(const std::size_t* extents) {
    return *extents == N && Nested<S>::fits(extents + 1);
  }
  static constexpr std::size_t size = N * Nested<S>::size;
};
template <typename S, std::size_t N>
struct Nested<S[N]> : NestedOf<S, N> {};
template <typename S, std::size_t N>
struct Nested<std::array<S, N>> : NestedOf<S, N> {};
template <typename S, std::size_t N>
struct Nested<const std::array<S, N>> : NestedOf<const S, N> {};

// ---- the conversions: each checks at compile time what is known then ----

template <typename T, std::size_t... Extents>
struct Give {
  using Tensor = Shape<T, Extents...>;
  using Bare = std::remove_const_t<T>;

  template <typename Element>
  static Given of(Element* data) {
    static_assert(IsElement<std::remove_const_t<Element>, Bare>::value,
                  "ptowsp: the array's elements are not of the tensor's dtype");
    static_assert(std::is_const_v<T> || !std::is_const_v<Element>,
                  "ptowsp: the workload writes this tensor, and the array is const");
    Given given = expected();
    given.data = const_cast<std::remove_const_t<Element>*>(data);
    given.fault = data ? Given::Fault::none : Given::Fault::null;
    return given;
  }

  static Given expected() {
    Given given;
    given.bytes = Tensor::size * sizeof(T);
    given.dtype = DType<Bare>::name;
    given.extents = Tensor::extents;
    given.expected_rank = Tensor::rank;
    return given;
  }

  static void setFault(Given& given, Given::Fault fault, const std::uint64_t* found,
                       std::size_t rank) {
    given.fault = fault;
    given.rank = rank;
    for (std::size_t i = 0; i < rank && i < kMaxShownRank; ++i) given.found[i] = found[i];
  }

  template <typename U, std::size_t... Others>
  static Given resident(const DeviceTensor<U, Others...>& tensor) {
    static_assert(std::is_same_v<U, Bare>,
                  "ptowsp: the device tensor's elements are not of the tensor's dtype");
    static_assert(std::is_same_v<std::index_sequence<Others...>, std::index_sequence<Extents...>>,
                  "ptowsp: the device tensor has not the tensor's shape");
    Given given = expected();
    given.tensor = tensor.handle();
    given.fault = given.tensor ? Given::Fault::none : Given::Fault::null;
    return given;
  }

  template <typename U, std::size_t... Others>
  static Given view(const TensorView<U, Others...>& view) {
    static_assert(std::is_same_v<std::index_sequence<Others...>, std::index_sequence<Extents...>>,
                  "ptowsp: the view has not the tensor's shape");
    return of(view.data());
  }

  template <typename S>
  static Given array(S& array) {
    using Kind = Nested<S>;
    if constexpr (Kind::rank == 1) {
      static_assert(Kind::size == Tensor::size,
                    "ptowsp: the array has not as many elements as the tensor");
    } else {
      static_assert(Kind::rank == Tensor::rank, "ptowsp: the array has not the tensor's rank");
      if constexpr (Kind::rank == Tensor::rank)
        static_assert(Kind::fits(Tensor::extents), "ptowsp: the array has not the tensor's shape");
    }
    return of(reinterpret_cast<typename Kind::Element*>(&array));
  }

  template <typename S>
  static Given range(S& range) {
    constexpr std::size_t known = StaticSize<S>::value;
    static_assert(known == static_cast<std::size_t>(-1) || known == Tensor::size,
                  "ptowsp: the span has not as many elements as the tensor");
    Given given = of(std::data(range));
    const std::uint64_t count = std::size(range);
    if (count != Tensor::size) setFault(given, Given::Fault::count, &count, 1);
    return given;
  }

  template <typename S>
  static Given mdspan(const S& span) {
    static_assert(HasStride<S>::value,
                  "ptowsp: the view does not tell its strides (member stride), so that nobody can "
                  "know whether it is contiguous");
    using Extents_ = std::remove_cv_t<std::remove_reference_t<decltype(span.extents())>>;
    static_assert(Extents_::rank() == Tensor::rank, "ptowsp: the view has not the tensor's rank");
    static_assert(staticExtentsFit<Extents_>(std::make_index_sequence<Tensor::rank>()),
                  "ptowsp: the view has not the tensor's shape");
    Given given = of(span.data_handle());
    std::uint64_t shape[Tensor::rank], strides[Tensor::rank], dense = 1;
    bool same_shape = true, contiguous = true;
    for (std::size_t i = Tensor::rank; i-- > 0;) {
      shape[i] = static_cast<std::uint64_t>(span.extents().extent(i));
      strides[i] = static_cast<std::uint64_t>(span.stride(i));
      same_shape = same_shape && shape[i] == Tensor::extents[i];
      contiguous = contiguous && (Tensor::extents[i] == 1 || strides[i] == dense);
      dense *= Tensor::extents[i];
    }
    if (!same_shape)
      setFault(given, Given::Fault::shape, shape, Tensor::rank);
    else if (!contiguous)
      setFault(given, Given::Fault::strides, strides, Tensor::rank);
    return given;
  }

  // Extents that the type knows; those that it does not are std::dynamic_extent, -1.
  template <typename S, std::size_t... I>
  static constexpr bool staticExtentsFit(std::index_sequence<I...>) {
    return ((S::static_extent(I) == static_cast<std::size_t>(-1) ||
             S::static_extent(I) == Tensor::extents[I]) &&
            ...);
  }

  template <typename S>
  static Given from(S& source) {
    if constexpr (IsDeviceTensor<std::remove_const_t<S>>::value) {
      static_assert(kNever<S>, "ptowsp: a view is of an array on the host: download() the device tensor");
      return {};
    } else if constexpr (IsTensorView<std::remove_const_t<S>>::value) {
      return view(source);
    } else if constexpr (IsMdspan<std::remove_const_t<S>>::value) {
      return mdspan(source);
    } else if constexpr (std::is_pointer_v<std::remove_const_t<S>>) {
      static_assert(kNever<S>, "ptowsp: a pointer does not tell how many elements there are; say it: "
                               "ptowsp::TensorView<float, 64, 256>(pointer)");
      return {};
    } else if constexpr (Nested<S>::rank > 0) {
      return array(source);
    } else if constexpr (IsContiguous<S>::value) {
      return range(source);
    } else {
      static_assert(kNever<S>,
                    "ptowsp: give a TensorView, an array, std::array, std::vector, std::span, or a "
                    "view with data_handle() and extents(), like std::mdspan");
      return {};
    }
  }
};

inline std::string dimensions(const std::uint64_t* extents, std::size_t rank, const char* between) {
  std::string text;
  for (std::size_t i = 0; i < rank && i < kMaxShownRank; ++i)
    text += (i ? between : "") + std::to_string(extents[i]);
  return rank > kMaxShownRank ? text + between + "..." : text;
}

// What is wrong with what was given, in words; `place` is "tensor x" or the view's own type.
inline Error faultOf(const std::string& place, const Given& given) {
  std::uint64_t extents[kMaxShownRank] = {}, strides[kMaxShownRank] = {}, count = 1;
  for (std::size_t i = given.expected_rank; i-- > 0;) {
    if (i < kMaxShownRank) {
      extents[i] = given.extents[i];
      strides[i] = count;
    }
    count *= given.extents[i];
  }
  const std::string expected =
      dimensions(extents, given.expected_rank, " x ") + " of " + given.dtype;
  std::string message, fix;
  switch (given.fault) {
    case Given::Fault::count:
      message = "found an array of " + std::to_string(given.found[0]) + " elements, expected " +
                std::to_string(count) + ", " + expected;
      break;
    case Given::Fault::shape:
      message = "found a view of " + dimensions(given.found, given.rank, " x ") + ", expected " +
                expected;
      break;
    case Given::Fault::strides:
      message = "found a view with the strides " + dimensions(given.found, given.rank, ", ") +
                ", expected those of a contiguous array, " +
                dimensions(strides, given.expected_rank, ", ");
      fix = "copy it into a contiguous array";
      break;
    case Given::Fault::gone:
      message = "found a temporary array, which is gone before the run is over, expected one of " +
                expected + " that stays";
      fix = "give the array a name, and keep it until the call is over";
      break;
    default:
      message = "found a null pointer, expected an array of " + expected;
      break;
  }
  return Error(Outcome::bad_input, place, std::move(message), {}, std::move(fix));
}

}  // namespace detail

// TensorView: T is float, ptowsp::f16, ptowsp::bf16 or std::int32_t, const for what is only read.
template <typename T, std::size_t... Extents>
class TensorView {
  using Shape = detail::Shape<T, Extents...>;

 public:
  using element_type = T;
  static constexpr std::size_t rank() { return Shape::rank; }
  static constexpr std::size_t size() { return Shape::size; }
  static constexpr std::size_t extent(std::size_t i) { return Shape::extents[i]; }

  // Of an array with so many elements.
  explicit TensorView(T* data) : data_(data) {}
  // Of an array, std::array, std::vector, std::span, a view like std::mdspan, or another TensorView. Throws
  // ptowsp::Error when it has other extents or is not contiguous, as far as the compiler could not tell.
  template <typename S, typename = std::enable_if_t<
                            !std::is_same_v<detail::Plain<S>, TensorView> &&
                            (!std::is_pointer_v<std::decay_t<S>> || std::is_array_v<detail::Plain<S>>)>>
  TensorView(S&& source) {
    const detail::Given given = detail::Give<T, Extents...>::from(source);
    if (given.fault != detail::Given::Fault::none)
      detail::raise(detail::faultOf("ptowsp::TensorView", given));
    data_ = static_cast<T*>(given.data);
  }

  T* data() const { return data_; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size(); }
  // One element, an index for each dimension; not checked.
  template <typename... Index>
  T& operator()(Index... index) const {
    static_assert(sizeof...(Index) == Shape::rank, "an index for each dimension");
    std::size_t flat = 0, i = 0;
    ((flat = flat * Shape::extents[i++] + static_cast<std::size_t>(index)), ...);
    return data_[flat];
  }

 private:
  T* data_;
};

}  // namespace ptowsp
