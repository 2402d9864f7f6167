#pragma once
// Mocks C libraries as CMocka does. The linker sends the agent's calls of a symbol to __wrap_SYMBOL
// (um_add_test(... WRAP SYMBOL)). While a mock object is alive, the call goes to that. Otherwise it goes to
// the real function.
//
//     struct LibmountMock : um::test::Wrapped<LibmountMock> {
//         MOCK_METHOD(int, mnt_context_mount, (libmnt_context*));
//     };
//     UM_WRAP(LibmountMock, int, mnt_context_mount, (libmnt_context * context), (context))
//
// With UM_PASS_ON(mnt_context_mount) a mock passes calls that no test expects on to the real function.

#include <gmock/gmock.h>

namespace um::test {

/// Wrapped calls go to this object as long as it lives.
template <class Mock>
class Wrapped {
public:
    Wrapped() { alive_ = static_cast<Mock*>(this); }
    Wrapped(const Wrapped&) = delete;
    Wrapped& operator=(const Wrapped&) = delete;
    ~Wrapped() { alive_ = nullptr; }
    static Mock* alive() { return alive_; }

private:
    static inline Mock* alive_ = nullptr;
};

} // namespace um::test

// NOLINTBEGIN(bugprone-macro-parentheses): parameter lists are not expressions
#define UM_WRAP(Mock, Result, function, Parameters, Arguments)                                               \
    extern "C" Result __real_##function Parameters;                                                          \
    extern "C" Result __wrap_##function Parameters {                                                         \
        if (auto* mock = Mock::alive())                                                                      \
            return mock->function Arguments;                                                                 \
        return __real_##function Arguments;                                                                  \
    }
// NOLINTEND(bugprone-macro-parentheses)

#define UM_PASS_ON(function) ON_CALL(*this, function).WillByDefault(testing::Invoke(__real_##function))
