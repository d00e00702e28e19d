#include "cre2.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <cstring>
#include <memory>
#include <new>
#include <vector>

struct th_re2_set {
  RE2::Options options;
  std::unique_ptr<RE2::Set> set;
  std::vector<std::unique_ptr<RE2>> patterns;
  int32_t program_limit;
};

extern "C" {

th_re2_set *th_re2_set_new(int64_t max_mem, int32_t program_limit) {
  try {
    auto set = std::make_unique<th_re2_set>();
    set->options.set_log_errors(false);
    set->options.set_longest_match(true);
    set->options.set_max_mem(max_mem);
    set->program_limit = program_limit;
    set->set = std::make_unique<RE2::Set>(set->options, RE2::UNANCHORED);
    return set.release();
  } catch (...) {
    return nullptr;
  }
}

void th_re2_set_free(th_re2_set *set) { delete set; }

int th_re2_set_add(th_re2_set *set, const char *pattern, size_t length, char *error, size_t error_size) {
  try {
    const re2::StringPiece text(pattern, length);
    auto compiled = std::make_unique<RE2>(text, set->options);
    if (!compiled->ok()) {
      if (compiled->error_code() == RE2::ErrorPatternTooLarge) return TH_RE2_TOO_LARGE;
      if (error_size > 0) {
        const std::string &reason = compiled->error();
        const size_t count = reason.size() < error_size - 1 ? reason.size() : error_size - 1;
        memcpy(error, reason.data(), count);
        error[count] = 0;
      }
      return TH_RE2_SYNTAX;
    }
    if (compiled->ProgramSize() > set->program_limit) return TH_RE2_TOO_LARGE;
    if (RE2::FullMatch(re2::StringPiece("", 0), *compiled)) return TH_RE2_EMPTY;
    if (set->set->Add(text, nullptr) < 0) return TH_RE2_FAILED;
    set->patterns.push_back(std::move(compiled));
    return TH_RE2_OK;
  } catch (...) {
    return TH_RE2_FAILED;
  }
}

int th_re2_set_compile(th_re2_set *set) {
  try {
    return set->set->Compile() ? TH_RE2_OK : TH_RE2_TOO_LARGE;
  } catch (...) {
    return TH_RE2_FAILED;
  }
}

int th_re2_set_which(const th_re2_set *set, const char *text, size_t length, uint8_t *which) {
  try {
    std::vector<int> matched;
    RE2::Set::ErrorInfo info{};
    memset(which, 0, set->patterns.size());
    if (set->set->Match(re2::StringPiece(text, length), &matched, &info)) {
      for (int index : matched) which[index] = 1;
      return TH_RE2_OK;
    }
    if (info.kind != RE2::Set::kNoError) memset(which, 1, set->patterns.size());
    return TH_RE2_OK;
  } catch (...) {
    return TH_RE2_FAILED;
  }
}

int th_re2_set_find(const th_re2_set *set, int pattern, const char *text, size_t length, size_t from, size_t *start,
                    size_t *end) {
  try {
    re2::StringPiece match;
    if (!set->patterns[pattern]->Match(re2::StringPiece(text, length), from, length, RE2::UNANCHORED, &match, 1)) return 0;
    *start = static_cast<size_t>(match.data() - text);
    *end = *start + match.size();
    return 1;
  } catch (...) {
    return TH_RE2_FAILED;
  }
}
}
