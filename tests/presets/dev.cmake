# For the daily work: quick to build and to link, and easy to step through.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g" CACHE STRING "")
set(UM_STATIC_RUNTIME OFF CACHE BOOL "")
