// adjtimex(2), which the Glibc module does not show.
#pragma once
#include <sys/timex.h>
