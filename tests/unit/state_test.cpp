#include "upgrade/state_file.hpp"

#include "base/failure.hpp"
#include "support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

using namespace um;

namespace {

const std::string State::*const texts[] = {&State::id,           &State::message,    &State::hint,
                                           &State::boot_id,      &State::started,    &State::finished,
                                           &State::from_version, &State::to_version, &State::media,
                                           &State::media_sha256, &State::signer,     &State::abandoned};

/// A record without empty or equal fields.
State full_state() {
    State state;
    for (std::size_t i = 0; i < std::size(texts); ++i)
        const_cast<std::string&>(state.*texts[i]) = "text " + std::to_string(i);
    state.stage = Stage::apply;
    state.outcome = Outcome::needs_manual;
    state.reason = Reason::script_failed;
    state.attempts = 3;
    state.tries = 2;
    state.reboot_is_left = true;
    state.mount_device = std::numeric_limits<std::uint64_t>::max();
    state.change = Change::failed;
    return state;
}

void expect_same(const State& left, const State& right) {
    for (const auto text : texts)
        EXPECT_EQ(left.*text, right.*text);
    EXPECT_EQ(left.stage, right.stage);
    EXPECT_EQ(left.outcome, right.outcome);
    EXPECT_EQ(left.reason, right.reason);
    EXPECT_EQ(left.attempts, right.attempts);
    EXPECT_EQ(left.tries, right.tries);
    EXPECT_EQ(left.reboot_is_left, right.reboot_is_left);
    EXPECT_EQ(left.mount_device, right.mount_device);
    EXPECT_EQ(left.change, right.change);
}

State read_back(const State& state) {
    return parse_state(to_ini(state), "state.ini");
}

/// The reason of the refusal. Nothing if the text was accepted.
std::optional<Reason> refusal_of(const std::string& text, std::string* message = nullptr) {
    try {
        parse_state(text, "state.ini");
    } catch (const Failure& failure) {
        if (message != nullptr)
            *message = failure.what();
        return failure.reason();
    }
    return std::nullopt;
}

std::string every_byte() {
    std::string text;
    for (int byte = 0; byte < 256; ++byte)
        text += static_cast<char>(byte);
    return text;
}

const std::string good = "[upgrade]\nformat = 1\nid = a\nstage = apply\ncomplete = yes\n";

} // namespace

TEST(State, ReadsBackEveryField) {
    expect_same(read_back(full_state()), full_state());
}

TEST(State, ReadsBackARecordThatHasJustBegun) {
    State state;
    state.id = "1";
    expect_same(read_back(state), state);
}

TEST(State, ReadsBackEveryStageOutcomeReasonAndChange) {
    auto state = full_state();
    for (auto stage = Stage::find; stage <= Stage::verify;
         stage = static_cast<Stage>(static_cast<int>(stage) + 1)) {
        state.stage = stage;
        EXPECT_EQ(read_back(state).stage, stage);
    }
    for (int i = 0; i <= static_cast<int>(Outcome::nothing_to_do); ++i) {
        state.outcome = static_cast<Outcome>(i);
        EXPECT_EQ(read_back(state).outcome, state.outcome);
    }
    for (std::size_t i = 0; i < reasons; ++i) {
        state.reason = static_cast<Reason>(i);
        EXPECT_EQ(read_back(state).reason, state.reason);
    }
    for (const auto change : {Change::none, Change::begun, Change::done, Change::failed}) {
        state.change = change;
        EXPECT_EQ(read_back(state).change, change);
    }
}

TEST(State, ReadsBackNastyTexts) {
    const std::string nasty[] = {
        " ",
        "  both ends  ",
        "line\nfeed\r\n",
        "a ; b",
        ";",
        "# no comment",
        "%",
        "100 % %41 %0",
        "key = value",
        "[section]",
        "complete = yes",
        "\t\tx\t",
        "\"quoted\"",
        "a = b\n[upgrade]\nid = other\n",
        "スナップショットが作成されていますか?",
        "\xEF\xBB\xBF",
        every_byte(),
        std::string(5000, ' '),
        std::string(5000, ';'),
        std::string(59, 'x') + " [" + std::string(58, 'y') + " ; = ",
        std::string(60, 'x') + "[" + std::string(59, ' ') + "=",
        std::string(60, 'x') + "; gone?",
    };
    for (const auto& text : nasty)
        for (const auto member : texts) {
            auto state = full_state();
            const_cast<std::string&>(state.*member) = text;
            expect_same(read_back(state), state);
        }
}

TEST(State, ReadsBackALongTextWhereverItIsWrapped) {
    for (std::size_t length = 50; length < 200; ++length)
        for (const std::string filler : {"x", " ", "=", "é"}) {
            auto state = full_state();
            state.message.clear();
            while (state.message.size() < length)
                state.message += filler;
            ASSERT_EQ(read_back(state).message, state.message) << length << filler;
        }
}

TEST(State, IsNeverAnotherRecordWhenCutShort) {
    auto state = full_state();
    state.message = std::string(200, 'm') + " ; %";
    const auto text = to_ini(state);
    std::size_t accepted = 0;
    for (std::size_t length = 0; length < text.size(); ++length) {
        const auto cut = text.substr(0, length);
        if (refusal_of(cut))
            continue;
        ++accepted; // the cut is in the last line, after all that counts
        expect_same(parse_state(cut, "state.ini"), state);
    }
    EXPECT_LE(accepted, 6U);
}

TEST(State, IsNeverAnotherRecordWhenABlockOfItIsZero) {
    const auto text = to_ini(full_state());
    for (std::size_t at = 0; at + 8 <= text.size(); ++at) {
        auto damaged = text;
        damaged.replace(at, 8, std::string(8, '\0'));
        EXPECT_EQ(refusal_of(damaged), Reason::state_damaged) << at;
    }
}

TEST(State, RefusesWhatIsDamaged) {
    ASSERT_FALSE(refusal_of(good));
    const std::pair<std::string, std::string> cases[] = {
        {"", "it names no format"},
        {"garbage", "neither '[section]' nor 'key = value' nor a comment"},
        {"[upgrade]\nid = a\ncomplete = yes\n", "it names no format"},
        {"[upgrade]\nformat = 1\nid = a\n", "it ends early"},
        {"[upgrade]\nformat = 1\ncomplete = yes\n", "it names no upgrade"},
        {"[upgrade]\nformat = 1\nid =\ncomplete = yes\n", "it names no upgrade"},
        {"[other]\nformat = 1\nid = a\ncomplete = yes\n", "line 2 is unexpected"},
        {"[upgrade]\nformat = 1\nid = a\nid = b\ncomplete = yes\n", "line 4 is unexpected"},
        {"[upgrade]\nformat = 1\nid = a\nstage = fly\ncomplete = yes\n", "'fly' is no word of this record"},
        {"[upgrade]\nformat = 1\nid = a\noutcome =\ncomplete = yes\n", "'' is no word of this record"},
        {"[upgrade]\nformat = 1\nid = a\nreason = x\ncomplete = yes\n", "'x' is no word of this record"},
        {"[upgrade]\nformat = 1\nid = a\nchange = x\ncomplete = yes\n", "'x' is no word of this record"},
        {"[upgrade]\nformat = 1\nid = a\nattempts = -1\ncomplete = yes\n", "'-1' is no number"},
        {"[upgrade]\nformat = 1\nid = a\nattempts = 1x\ncomplete = yes\n", "'1x' is no number"},
        {"[upgrade]\nformat = 1\nid = a\nattempts = 4294967296\ncomplete = yes\n",
         "'4294967296' is no number"},
        {"[upgrade]\nformat = 1\nid = a\nmount_device =\ncomplete = yes\n", "'' is no number"},
        {"[upgrade]\nformat = 1\nid = %4\ncomplete = yes\n",
         "a '%' that two hexadecimal digits do not follow"},
        {"[upgrade]\nformat = 1\nid = %zz\ncomplete = yes\n",
         "a '%' that two hexadecimal digits do not follow"},
        {"[upgrade]\nformat = 1\nid = a\ncolour = red\ncomplete = yes\n",
         "it holds the unknown key 'colour'"},
    };
    for (const auto& [text, why] : cases) {
        std::string message;
        EXPECT_EQ(refusal_of(text, &message), Reason::state_damaged) << text;
        EXPECT_EQ(message.find("state.ini: the record is damaged: "), 0U) << message;
        ASSERT_GE(message.size(), why.size());
        EXPECT_EQ(message.substr(message.size() - why.size()), why);
    }
}

TEST(State, RefusesARecordOfAnotherFormatByItsOwnReason) {
    std::string message;
    EXPECT_EQ(refusal_of("[upgrade]\nformat = 2\nid = a\nnew_key = 1\n", &message),
              Reason::state_unknown_format);
    EXPECT_EQ(message, "state.ini: format 2 is not known to um-upgrade " UM_VERSION);
}

TEST(State, IsOpenUntilItHasAnOutcomeAndWaitsUntilAPersonClosesIt) {
    State state;
    EXPECT_TRUE(state.open());
    EXPECT_FALSE(state.waits_for_a_person());
    state.outcome = Outcome::needs_manual;
    EXPECT_FALSE(state.open());
    EXPECT_TRUE(state.waits_for_a_person());
    state.abandoned = "reverted to the snapshot";
    EXPECT_FALSE(state.waits_for_a_person());
}

TEST(StateFile, IsAbsentBeforeTheFirstUpgrade) {
    const um::test::Scratch scratch;
    EXPECT_FALSE(StateFile(scratch.path()).load());
}

TEST(StateFile, KeepsWhatWasSavedLast) {
    const um::test::Scratch scratch;
    const StateFile store(scratch.path());
    auto state = full_state();
    store.save(state);
    state.stage = Stage::verify;
    store.save(state);
    expect_same(store.load().value(), state);
    EXPECT_EQ(um::test::names_in(scratch.path()), (std::vector<std::string>{"state.ini"}));
}

TEST(StateFile, FilesAClosedRecordUnderHistory) {
    const um::test::Scratch scratch;
    const StateFile store(scratch.path());
    store.close(full_state());
    EXPECT_EQ(um::test::names_in(store.history()), (std::vector<std::string>{"text 0.ini"}));
    EXPECT_EQ(um::test::text_of(store.history() + "/text 0.ini"), um::test::text_of(store.path()));
}

TEST(StateFile, FindsClosedRecordsBesideOneThatIsDamaged) {
    const um::test::Scratch scratch;
    const StateFile store(scratch / "state");
    for (const auto* id : {"b", "a"}) {
        State state;
        state.id = id;
        state.started = fmt::format("2026-01-0{}", id[0] - 'a' + 1);
        store.close(state);
    }
    std::ofstream(store.history() + "/c.ini") << "torn";
    ASSERT_EQ(store.closed().size(), 2U);
    EXPECT_EQ(store.closed().front().id, "a");
    EXPECT_EQ(store.closed("b").value().id, "b");
    EXPECT_FALSE(store.closed("d"));
    EXPECT_THROW(store.closed("c"), Failure);
    ASSERT_EQ(store.not_understood().size(), 1U);
    EXPECT_THAT(store.not_understood().front().what(), testing::HasSubstr(store.history() + "/c.ini"));
    EXPECT_THAT(store.not_understood().front().hint(), testing::Not(testing::HasSubstr("abandon")));
}

TEST(StateFile, TakesADamagedRecordForARefusalNotForNone) {
    const um::test::Scratch scratch;
    for (const std::string text : {"", "x", "[upgrade]\n"}) {
        scratch.file("state.ini", text);
        EXPECT_THROW(StateFile(scratch.path()).load(), Failure) << text;
    }
    scratch.file("state.ini", std::string(2 * 1024 * 1024, '#'));
    EXPECT_THROW(StateFile(scratch.path()).load(), Failure); // so 'abandon' can set it aside
}

TEST(StateFile, FailsWhereItsDirectoryCannotBe) {
    const um::test::Scratch scratch;
    const StateFile store(scratch.file("file", "") + "/sub");
    EXPECT_THROW(store.save(full_state()), SystemFailure);
}

TEST(StateFile, GivesItsReserveBackWhenTheRecordCannotBeSavedAndWhenItIsClosed) {
    const test::Scratch scratch;
    const StateFile file(scratch / "state");
    State state;
    state.id = "a";
    file.save(state);
    file.keep_reserve();
    EXPECT_EQ(std::filesystem::file_size(scratch / "state/reserve"), 256U * 1024);
    file.save(state);
    EXPECT_TRUE(std::filesystem::exists(scratch / "state/reserve"));
    std::filesystem::create_directory(scratch / "state/state.ini.new"); // saving fails, as on a full disk
    EXPECT_THROW(file.save(state), SystemFailure);
    EXPECT_FALSE(std::filesystem::exists(scratch / "state/reserve"));
    std::filesystem::remove(scratch / "state/state.ini.new");
    file.keep_reserve();
    file.close(state);
    EXPECT_FALSE(std::filesystem::exists(scratch / "state/reserve"));
}
