// main() of every test program: runs GoogleTest. It reports as CMocka does if the environment requires that.

#include "support/cmocka_report.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
    testing::InitGoogleMock(&argc, argv);
    const auto form = um::test::message_output(std::getenv("CMOCKA_MESSAGE_OUTPUT"));
    if (form != um::test::MessageOutput::googletest) {
        auto& listeners = testing::UnitTest::GetInstance()->listeners();
        delete listeners.Release(listeners.default_result_printer());
        const auto* file = std::getenv("CMOCKA_XML_FILE");
        listeners.Append(new um::test::CmockaReport(form, file != nullptr ? file : "", std::cout, std::cerr));
    }
    return RUN_ALL_TESTS();
}
