// SPDX-License-Identifier: MIT
// A stand-in: what the version is known by: an image of (size == sizeof(uint64_t)) is a function.
