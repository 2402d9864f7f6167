# um_add_test(NAME name LABEL unit|adapter SOURCES file... [WRAP symbol...])
#
# One test program of the agent's objects and GoogleTest. Calls from the agent to a WRAPped symbol go to
# __wrap_SYMBOL (see wrap.hpp); calls within one object file do not.
function(um_add_test)
  cmake_parse_arguments(TEST "" "NAME;LABEL" "SOURCES;WRAP" ${ARGN})
  add_executable(${TEST_NAME} ${TEST_SOURCES})
  target_compile_options(${TEST_NAME} PRIVATE -O0)
  target_compile_definitions(${TEST_NAME} PRIVATE UM_SOURCE="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${TEST_NAME} PRIVATE um-agent um-test-support)
  foreach(symbol IN LISTS TEST_WRAP)
    target_link_options(${TEST_NAME} PRIVATE -Wl,--wrap=${symbol})
  endforeach()
  add_test(NAME ${TEST_NAME} COMMAND ${TEST_NAME})
  set_tests_properties(${TEST_NAME} PROPERTIES LABELS ${TEST_LABEL} TIMEOUT 120)
endfunction()
