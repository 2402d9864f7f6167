#include "config/config.hpp"

#include "base/failure.hpp"
#include "base/ini.hpp"
#include "support/scratch.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <set>
#include <sstream>

using namespace um;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Config parsed(const std::string& text) {
    Config config;
    merge_config(config, text, "um.conf");
    return config;
}

std::string error_of(const std::string& text) {
    try {
        parsed(text);
        return "accepted";
    } catch (const ConfigError& error) {
        return error.what();
    }
}

std::string load_error_of(const std::string& file) {
    try {
        load_config(file);
        return "accepted";
    } catch (const ConfigError& error) {
        return error.what();
    }
}

/// The words after "known are: ", which the parser lists for an unknown name.
std::set<std::string> known_for(const std::string& text) {
    const auto message = error_of(text);
    const std::string mark = "known are: ";
    const auto at = message.find(mark);
    EXPECT_NE(at, std::string::npos) << message;
    std::istringstream words(message.substr(at + mark.size()));
    std::set<std::string> result;
    for (std::string word; words >> word;)
        result.insert(word);
    return result;
}

/// Every "section.key" that the parser knows, except those of [prompt.X].
std::set<std::string> known_keys() {
    std::set<std::string> keys;
    for (const auto& section : known_for("[?]\nx = 1\n"))
        if (section != "prompt.X")
            for (const auto& key : known_for("[" + section + "]\nno_such_key = 1\n"))
                keys.insert(section + "." + key);
    return keys;
}

const std::string shipped = UM_SOURCE "/etc/um-upgrade.conf";

} // namespace

TEST(Config, ShipsTheDefaultsThatTheProgramHas) {
    EXPECT_TRUE(parsed(um::test::text_of(shipped)) == Config{});
}

TEST(Config, ShipsAFileThatNamesEveryKey) {
    std::set<std::string> named;
    for (const auto& entry : parse_ini(um::test::text_of(shipped)))
        named.insert(entry.section + "." + entry.name);
    EXPECT_EQ(named, known_keys());
    EXPECT_GT(named.size(), 20U);
}

TEST(Config, ShipsAnOperatorsFileThatChangesNothing) {
    EXPECT_TRUE(parsed(um::test::text_of(UM_SOURCE "/etc/operator.conf")) == Config{});
}

TEST(Config, SetsEveryKeyOfMedia) {
    const auto config = parsed("[media]\nsearch = /a/*.iso \"/b c/*.iso\"\nmount_point = /mnt/um\n");
    EXPECT_EQ(config.media.search, (std::vector<std::string>{"/a/*.iso", "/b c/*.iso"}));
    EXPECT_EQ(config.media.mount_point, "/mnt/um");
    EXPECT_EQ(parsed("[media]\nmount_point = /mnt/./x//../um/\n").media.mount_point, "/mnt/um");
}

TEST(Config, SetsEveryKeyOfTrust) {
    const auto config = parsed("[trust]\nrequire = digest\nanchors = /a.pem\nsigner = VMware, Inc.\n"
                               "sha1 = refuse\nexpired = accept\ncrl = /crl.pem\n");
    EXPECT_EQ(config.trust.require, Require::digest);
    EXPECT_EQ(config.trust.anchors, "/a.pem");
    EXPECT_EQ(config.trust.signers, (std::vector<std::string>{"VMware, Inc."}));
    EXPECT_EQ(config.trust.sha1, Policy::refuse);
    EXPECT_EQ(config.trust.expired, Policy::accept);
    EXPECT_EQ(config.trust.crl, "/crl.pem");
    EXPECT_EQ(parsed("[trust]\nanchors = system\nsigner = X\n").trust.anchors, "system");
    EXPECT_EQ(parsed("[trust]\ncrl =\nsigner =\n").trust, Config{}.trust);
}

TEST(Config, TakesSeveralSignersPartedByBars) {
    const auto print = "sha256:" + std::string(62, 'a') + ":0F";
    EXPECT_EQ(parsed("[trust]\nsigner = VMware, Inc. | " + print + "|x\n").trust.signers,
              (std::vector<std::string>{"VMware, Inc.", print, "x"}));
    for (const auto* wrong : {"|", "a|", "a||b"})
        EXPECT_EQ(error_of(std::string("[trust]\nsigner = ") + wrong + "\n"),
                  std::string("um.conf:2: 'signer = ") + wrong +
                      "' is wrong; right would be signers parted by single '|'");
    for (const std::string& wrong :
         {std::string("sha256:"), print.substr(1), print + "0", "sha256:" + std::string(63, 'a') + "g"})
        EXPECT_THROW(parsed("[trust]\nsigner = " + wrong + (wrong[0] == 's' ? "\n" : "|\n")), ConfigError);
}

TEST(Config, SetsEveryKeyOfProductAndSnapshot) {
    const auto config = parsed("[product]\nname = Other\nversion_command = /bin/echo \"4 5\" x\n"
                               "minimum_source = 4.4\n[snapshot]\nconfirmation = assume\n");
    EXPECT_EQ(config.product.name, "Other");
    EXPECT_EQ(config.product.version_command, (std::vector<std::string>{"/bin/echo", "4 5", "x"}));
    EXPECT_EQ(config.product.minimum_source, "4.4");
    EXPECT_EQ(config.snapshot.confirmation, Confirmation::assume);
}

TEST(Config, SetsEveryKeyOfSshdAndApply) {
    const auto config = parsed("[sshd]\nmanage = no\nunit = ssh.service\n"
                               "[apply]\nscript = go.sh\nstall_timeout = 90s\ninterrupted = stop\n");
    EXPECT_FALSE(config.sshd.manage);
    EXPECT_EQ(config.sshd.unit, "ssh.service");
    EXPECT_EQ(config.apply.script, "go.sh");
    EXPECT_EQ(config.apply.stall_timeout, seconds(90));
    EXPECT_EQ(config.apply.interrupted, OnInterruption::stop);
}

TEST(Config, SetsEveryKeyOfRebootVerifyAndLog) {
    const auto config = parsed("[reboot]\npolicy = notice\nnotice = 1h\n[verify]\nunits = a.service b.timer\n"
                               "status_command = /s.sh\nrun_as = nobody\ndeadline = 2d\n[log]\nfile = /l\n");
    EXPECT_EQ(config.reboot.policy, RebootPolicy::notice);
    EXPECT_EQ(config.reboot.notice, hours(1));
    EXPECT_EQ(config.verify.units, (std::vector<std::string>{"a.service", "b.timer"}));
    EXPECT_EQ(config.verify.status_command, "/s.sh");
    EXPECT_EQ(config.verify.run_as, "nobody");
    EXPECT_EQ(config.verify.deadline, hours(48));
    EXPECT_EQ(config.log.file, "/l");
    EXPECT_EQ(parsed("[reboot]\npolicy = manual\n").reboot.policy, RebootPolicy::manual);
    EXPECT_EQ(parsed("[reboot]\nnotice = 90\n").reboot.notice, seconds(90));
    EXPECT_EQ(parsed("[reboot]\nnotice = 10min\n").reboot.notice, minutes(10));
}

TEST(Config, TakesAnswersOfTheOperator) {
    const auto config =
        parsed("[prompt.license]\nmatch = licen[cs]e\\?\nanswer = yes\n[prompt.b]\nmatch = b\n");
    EXPECT_EQ(config.prompts, (std::vector<PromptRule>{{"license", "licen[cs]e\\?", "yes"}, {"b", "b", ""}}));
}

TEST(Config, GoesOnOverIndentedLines) {
    EXPECT_EQ(parsed("[verify]\nunits = a.service\n  b.service\n\tc.service\n").verify.units,
              (std::vector<std::string>{"a.service", "b.service", "c.service"}));
}

TEST(Config, LetsLaterFilesWinKeyByKey) {
    auto config = parsed("[trust]\nsha1 = refuse\nexpired = accept\n[prompt.a]\nmatch = x\nanswer = 1\n");
    merge_config(config, "[trust]\nsha1 = accept\n[prompt.a]\nanswer = 2\n", "later.conf");
    EXPECT_EQ(config.trust.sha1, Policy::accept);
    EXPECT_EQ(config.trust.expired, Policy::accept);
    EXPECT_EQ(config.prompts, (std::vector<PromptRule>{{"a", "x", "2"}}));
}

TEST(Config, NamesFileLineAndWhatWouldBeRight) {
    const std::pair<std::string, std::string> cases[] = {
        {"[trust]\n\nsha1 = maybe\n",
         "um.conf:3: 'sha1 = maybe' is wrong; right would be 'accept' or 'refuse'"},
        {"[trust]\nrequire = none\n",
         "um.conf:2: 'require = none' is wrong; right would be 'signature' or 'digest'"},
        {"[trust]\nrequire =\n", "um.conf:2: 'require = ' is wrong; right would be 'signature' or 'digest'"},
        {"[trust]\nanchors = trust.d\n",
         "um.conf:2: 'anchors = trust.d' is wrong; right would be a path that begins with '/'"},
        {"[trust]\ncrl = x\n", "um.conf:2: 'crl = x' is wrong; right would be a path that begins with '/'"},
        {"[media]\nsearch =\n", "um.conf:2: 'search = ' is wrong; right would be at least one word"},
        {"[media]\nsearch = /a b\n",
         "um.conf:2: 'search = /a b' is wrong; right would be a path that begins with '/'"},
        {"[media]\nsearch = \"/a\n", "um.conf:2: 'search = \"/a' is wrong; right would be a closing '\"'"},
        {"[product]\nname = a/b\n",
         "um.conf:2: 'name = a/b' is wrong; right would be a file name without directories"},
        {"[product]\nversion_command =\n",
         "um.conf:2: 'version_command = ' is wrong; right would be at least one word"},
        {"[product]\nminimum_source =\n",
         "um.conf:2: 'minimum_source = ' is wrong; right would be some text"},
        {"[snapshot]\nconfirmation = no\n",
         "um.conf:2: 'confirmation = no' is wrong; right would be 'required' or 'assume'"},
        {"[sshd]\nmanage = true\n", "um.conf:2: 'manage = true' is wrong; right would be 'yes' or 'no'"},
        {"[sshd]\nunit = sshd\n",
         "um.conf:2: 'unit = sshd' is wrong; right would be a unit's full name, such as sshd.service"},
        {"[apply]\nscript = ../x\n",
         "um.conf:2: 'script = ../x' is wrong; right would be a file name without directories"},
        {"[apply]\nscript = ..\n",
         "um.conf:2: 'script = ..' is wrong; right would be a file name without directories"},
        {"[apply]\ninterrupted = go\n",
         "um.conf:2: 'interrupted = go' is wrong; right would be 'resume' or 'stop'"},
        {"[reboot]\npolicy = later\n",
         "um.conf:2: 'policy = later' is wrong; right would be 'now' or 'notice' or 'manual'"},
        {"[verify]\nunits = a.service b\n", "um.conf:2: 'units = a.service b' is wrong; right would be a "
                                            "unit's full name, such as sshd.service"},
        {"[verify]\nrun_as =\n", "um.conf:2: 'run_as = ' is wrong; right would be some text"},
        {"[log]\nfile =\n", "um.conf:2: 'file = ' is wrong; right would be a path that begins with '/'"},
        {"[prompt.a]\nmatch = (\n", "um.conf:2: 'match = (' is wrong; right would be an extended regular "
                                    "expression (Unmatched ( or \\()"},
        {"[media]\nserach = /a\n",
         "um.conf:2: unknown key 'serach' in [media]; known are: search mount_point"},
        {"[prompt.a]\nquestion = x\n",
         "um.conf:2: unknown key 'question' in [prompt.a]; known are: match answer"},
        {"[log]\nfile = /a\nfile = /b\n", "um.conf:3: 'file' appears twice in [log]; keep one"},
        {"[log]\nfile = /a\n[sshd]\nmanage = no\n[log]\nfile = /a\n",
         "um.conf:6: 'file' appears twice in [log]; keep one"},
        {"[trust]\nsigner\n", "um.conf:2: neither '[section]' nor 'key = value' nor a comment"},
    };
    for (const auto& [text, message] : cases)
        EXPECT_EQ(error_of(text), message);
}

TEST(Config, NamesTheSectionsThatThereAre) {
    const auto known = known_for("[?]\nx = 1\n");
    EXPECT_TRUE(known.count("media") == 1 && known.count("log") == 1 && known.count("prompt.X") == 1);
    for (const std::string text : {"[Trust]\nsha1 = refuse\n", "[prompt.]\nmatch = a\n"})
        EXPECT_EQ(error_of(text).find("um.conf:2: unknown section ["), 0U) << error_of(text);
    EXPECT_EQ(error_of("\nfile = /a\n"), "um.conf:2: 'file' appears before the first [section]");
}

TEST(Config, RefusesTimesThatAreNone) {
    for (const std::string text :
         {"", "0", "0s", "-1s", "1.5h", "10 min", "10m", "min", "1w", "99999999999s", "3651d", "1h1"})
        EXPECT_EQ(
            error_of("[reboot]\nnotice = " + text + "\n"),
            "um.conf:2: 'notice = " + text +
                "' is wrong; right would be a time such as 30s, 10min, 24h or 7d, and ten years at most");
}

TEST(Config, GivesWhatWorksInSilenceSomeTime) {
    EXPECT_EQ(error_of("[apply]\nstall_timeout = 30\n"),
              "um.conf:2: 'stall_timeout = 30' is wrong; right would be at least 1min: package managers fall "
              "silent "
              "while they work");
}

TEST(Config, LoadsTheNamedFileInsteadOfTheOperators) {
    const um::test::Scratch scratch(um::test::guarded_place);
    EXPECT_EQ(load_config(scratch.file("a.conf", "[log]\nfile = /a.log\n")).log.file, "/a.log");
}

TEST(Config, RefusesANamedFileThatIsNotThere) {
    EXPECT_EQ(load_error_of("/no/such.conf"), "/no/such.conf: there is no such file");
}

TEST(Config, RefusesAFileThatCannotBeRead) {
    const um::test::Scratch scratch(um::test::guarded_place);
    EXPECT_EQ(load_error_of(scratch.path()),
              "'" + scratch.path() + "' is no regular file; put a plain file there");
}

TEST(Config, RefusesAFileThatOthersCouldChange) {
    const um::test::Scratch scratch(um::test::guarded_place);
    const auto path = scratch.file("a.conf", "");
    ASSERT_EQ(::chmod(path.c_str(), 0664), 0);
    EXPECT_EQ(load_error_of(path),
              "'" + path +
                  "' could be changed by others than root (owner 0, mode 0664); check where "
                  "it came from, then 'chown root:root' and 'chmod go-w' it");
}

TEST(Config, RefusesTheSystemsAnchorsWithoutASigner) {
    const um::test::Scratch scratch(um::test::guarded_place);
    const auto file = scratch.file("a.conf", "[trust]\nanchors = system\n");
    EXPECT_EQ(
        load_error_of(file),
        file +
            ": [trust] anchors = system trusts every public authority; name the allowed 'signer' beside it");
    EXPECT_EQ(load_error_of(scratch.file("b.conf", "[trust]\nanchors = system\nsigner = X\n")), "accepted");
}

TEST(Config, RefusesAnAnswerWithoutItsQuestion) {
    const um::test::Scratch scratch(um::test::guarded_place);
    const auto file = scratch.file("a.conf", "[prompt.a]\nanswer = y\n");
    EXPECT_EQ(load_error_of(file), file + ": [prompt.a] has no 'match'");
}
