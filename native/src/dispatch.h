// Which instruction set is used.
#pragma once

#include "kernels.h"

namespace unrolled {

const char* isa();
bool use_isa(const char* name);  // false: this processor does not have it, or nobody knows it

template <class T>
const Kernels<T>& kernels();

}  // namespace unrolled
