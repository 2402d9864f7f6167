// libsystemd's journal and notification, as the agent calls them.

#define SD_JOURNAL_SUPPRESS_LOCATION // as the adapter does: the function, not the macro around it
#include "system/systemd_journal.hpp"

#include "support/wrap.hpp"

#include <gtest/gtest.h>

#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

using namespace um;
using testing::_;
using testing::Return;
using testing::StrEq;
using testing::StrictMock;

namespace {

struct JournalMock : test::Wrapped<JournalMock> {
    MOCK_METHOD(int, sd_journal_sendv, (const iovec*, int));
    MOCK_METHOD(int, sd_notify, (int, const char*));
};

} // namespace

UM_WRAP(JournalMock, int, sd_journal_sendv, (const iovec* parts, int count), (parts, count))
UM_WRAP(JournalMock, int, sd_notify, (int unset, const char* text), (unset, text))

TEST(Journal, SendsEveryFieldAsItIs) {
    StrictMock<JournalMock> mock;
    std::vector<std::string> sent;
    EXPECT_CALL(mock, sd_journal_sendv).WillOnce([&](const iovec* parts, int count) {
        for (int i = 0; i < count; ++i)
            sent.emplace_back(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
        return 0;
    });
    SystemdJournal().entry(
        {{"MESSAGE", "two\nlines = スナップショット"}, {"UM_EVENT", "warning"}, {"EMPTY", ""}});
    EXPECT_EQ(sent, (std::vector<std::string>{"MESSAGE=two\nlines = スナップショット", "UM_EVENT=warning",
                                              "EMPTY="}));
}

TEST(Journal, GoesOnWhenItCannotBeWritten) {
    StrictMock<JournalMock> mock;
    EXPECT_CALL(mock, sd_journal_sendv).WillOnce(Return(-ENOSPC));
    testing::internal::CaptureStderr();
    SystemdJournal().entry({{"MESSAGE", "x"}});
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "write to the journal: No space left on device, ignoring: the upgrade matters more\n");
}

TEST(Status, IsOneLineAndSaidOnce) {
    StrictMock<JournalMock> mock;
    EXPECT_CALL(mock, sd_notify(0, StrEq("STATUS=apply: a MAINPID=1"))).WillOnce(Return(1));
    EXPECT_CALL(mock, sd_notify(0, StrEq("STATUS=apply: b"))).WillOnce(Return(-ENOTCONN)); // nobody listens
    SystemdJournal journal;
    journal.status("apply: a\nMAINPID=1");
    journal.status("apply: a\nMAINPID=1");
    journal.status("apply: b");
}
