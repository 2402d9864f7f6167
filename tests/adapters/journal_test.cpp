// libsystemd's journal and notification functions, as the agent calls them.

#define SD_JOURNAL_SUPPRESS_LOCATION // as the adapter: calls the function, not its macro
#include "base/failure.hpp"
#include "system/systemd/journal.hpp"

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
    EXPECT_CALL(mock, sd_notify(0, StrEq("STATUS=apply: b"))).WillOnce(Return(-ENOTCONN)); // nothing listens
    SystemdJournal journal;
    journal.status("apply: a\nMAINPID=1");
    journal.status("apply: a\nMAINPID=1");
    journal.status("apply: b");
}

namespace {

/// A message of this boot, with its sender.
struct Written {
    std::string identifier;
    std::string unit;
    std::string message;
};

struct JournalFile : test::Wrapped<JournalFile> {
    std::vector<Written> entries;
    std::size_t at = 0; ///< the entry that is read, plus one
    std::string match;
    std::string data;
    int opened = 0;
    int damage = 0; ///< the error that reading ends with

    int sd_journal_open(sd_journal** journal, int) {
        *journal = reinterpret_cast<sd_journal*>(this);
        ++opened;
        at = 0;
        return 0;
    }
    void sd_journal_close(sd_journal*) { --opened; }
    int sd_journal_add_match(sd_journal*, const void* text, std::size_t size) {
        match.assign(static_cast<const char*>(text), size);
        return 0;
    }
    int sd_journal_next(sd_journal*) {
        if (at == entries.size())
            return damage;
        ++at;
        return 1;
    }
    int sd_journal_get_data(sd_journal*, const char* name, const void** found, std::size_t* size) {
        const auto& entry = entries.at(at - 1);
        const std::string field = name;
        const auto& value = field == "MESSAGE"         ? entry.message
                            : field == "_SYSTEMD_UNIT" ? entry.unit
                                                       : entry.identifier;
        if (value.empty())
            return -ENOENT;
        data = field + "=" + value;
        *found = data.data();
        *size = data.size();
        return 0;
    }
};

} // namespace

UM_WRAP(JournalFile, int, sd_journal_open, (sd_journal * *journal, int flags), (journal, flags))
UM_WRAP(JournalFile, void, sd_journal_close, (sd_journal * journal), (journal))
UM_WRAP(JournalFile, int, sd_journal_add_match, (sd_journal * journal, const void* data, std::size_t size),
        (journal, data, size))
UM_WRAP(JournalFile, int, sd_journal_next, (sd_journal * journal), (journal))
UM_WRAP(JournalFile, int, sd_journal_get_data,
        (sd_journal * journal, const char* field, const void** data, std::size_t* size),
        (journal, field, data, size))

TEST(JournalSearch, FindsWhatTheUnitsWroteInThisBoot) {
    JournalFile file;
    file.entries = {
        {"um-upgrade", "um-upgrade.service", "the error is not there"},
        {"sudo", "session-1.scope", "grep 'the error is'"},
        {"vmware-login", "", "the error is said to be here"}, // any sender may choose its identifier
        {"java", "", ""},
        {"java", "login.service", "now the error is here"}};
    const auto find = [](const std::vector<std::string>& units) {
        return SystemdJournal().find_in_this_boot("the error is", units);
    };
    EXPECT_EQ(find({"other.service", "login.service"}), "login.service: now the error is here");
    EXPECT_EQ(find({"log*"}), "login.service: now the error is here");
    EXPECT_EQ(find({"other.service", "logi"}), std::nullopt);
    EXPECT_EQ(find({}), std::nullopt);
    EXPECT_EQ(file.match.size(), std::string("_BOOT_ID=").size() + 32);
    EXPECT_EQ(file.opened, 0);
}

TEST(JournalSearch, FindsNothingWhereNothingIsAndSaysWhatCannotBeRead) {
    JournalFile file;
    EXPECT_EQ(SystemdJournal().find_in_this_boot("x", {"*"}), std::nullopt);
    file.damage = -EBADMSG;
    EXPECT_THROW(SystemdJournal().find_in_this_boot("x", {"*"}), SystemFailure);
    EXPECT_EQ(file.opened, 0);
}
