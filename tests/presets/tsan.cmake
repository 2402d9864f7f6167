# Finds data races; the digests are the part of the agent that has threads.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS "-fsanitize=thread -fno-omit-frame-pointer" CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g" CACHE STRING "")
# The sanitizer comes with a shared library of its own.
set(UM_STATIC_RUNTIME OFF CACHE BOOL "")
