# Finds wrong accesses to memory, leaks and undefined behavior while the tests run.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g" CACHE STRING "")
# The sanitizers come with shared libraries of their own.
set(UM_STATIC_RUNTIME OFF CACHE BOOL "")
