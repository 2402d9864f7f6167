// What each refusal and failure leaves in the record, the history and the journal.

#include "unit/story.hpp"

#include <filesystem>

using namespace um;
using namespace um::test;

namespace {

struct Case {
    std::string name;
    std::function<void(Story&)> spoil;
    Reason reason;
    ExitCode code;
    Outcome outcome;
    Stage stage;
};

void install(Story& story, const std::string& version) {
    story.world.installed = version;
    story.confirm_snapshot(version);
}

std::function<void(Story&)> manifest(const std::string& text) {
    return [text](Story& story) { story.world.sidecars[stem + ".mf"] = text; };
}

std::function<void(Story&)> without(const std::string& extension) {
    return [extension](Story& story) { story.world.sidecars.erase(stem + extension); };
}

std::function<void(Story&)> failing(const std::string& call, Reason reason) {
    return [call, reason](Story& story) {
        story.world.failures.emplace(call, Failure(reason, call, "mend it"));
    };
}

std::function<void(Story&)> script(std::function<int(World&, const Terminal::Session&)> work) {
    return [work](Story& story) {
        auto& world = story.world;
        world.work = [&world, work](const Terminal::Session& session) { return work(world, session); };
    };
}

const std::string line = sha256 + "  " + iso_name + "\n";

const Case cases[] = {
    {"TwoIsos", [](Story& s) { s.world.paths.insert("/media/x.iso"); }, Reason::media_ambiguous,
     ExitCode::media, Outcome::refused, Stage::find},
    {"AForeignName", [](Story& s) { s.world.paths = {"/media/photon.iso"}; }, Reason::media_name,
     ExitCode::media, Outcome::refused, Stage::find},
    {"NamedMediaThatAreNotThere", [](Story& s) { s.only_media = "/elsewhere.iso"; }, Reason::media_none,
     ExitCode::media, Outcome::refused, Stage::find},
    {"ADriveWithoutSidecars",
     [](Story& s) {
         s.world.paths = {"/dev/cdrom"};
         s.world.sidecars.clear();
     },
     Reason::media_sidecar_missing, ExitCode::media, Outcome::refused, Stage::find},
    {"AnInsecureIso", failing("open", Reason::media_insecure), Reason::media_insecure, ExitCode::media,
     Outcome::refused, Stage::find},
    {"AMissingManifest", without(".mf"), Reason::media_sidecar_missing, ExitCode::media, Outcome::refused,
     Stage::authenticate},
    {"AMissingCertificate", without(".crt"), Reason::media_sidecar_missing, ExitCode::media, Outcome::refused,
     Stage::authenticate},
    {"AMissingSignature", without(".sign"), Reason::media_sidecar_missing, ExitCode::media, Outcome::refused,
     Stage::authenticate},
    {"AMalformedManifest", manifest("<html>"), Reason::manifest_malformed, ExitCode::not_authentic,
     Outcome::refused, Stage::authenticate},
    {"AManifestOfOtherFiles", manifest(sha256 + "  other.iso\n"), Reason::manifest_no_entry,
     ExitCode::not_authentic, Outcome::refused, Stage::authenticate},
    {"AnIsoNamedTwice", manifest(line + line), Reason::manifest_duplicate, ExitCode::not_authentic,
     Outcome::refused, Stage::authenticate},
    {"AnotherDigest", manifest(std::string(64, '0') + "  " + iso_name), Reason::manifest_mismatch,
     ExitCode::not_authentic, Outcome::refused, Stage::authenticate},
    {"ADigestOfTwoThatIsAnother", manifest(line + std::string(40, '0') + "  " + iso_name),
     Reason::manifest_mismatch, ExitCode::not_authentic, Outcome::refused, Stage::authenticate},
    {"Sha1AgainstThePolicy",
     [](Story& s) {
         s.config.trust.sha1 = Policy::refuse;
         s.world.sidecars[stem + ".mf"] = std::string(40, 'a') + "  " + iso_name;
     },
     Reason::digest_weak, ExitCode::not_authentic, Outcome::refused, Stage::authenticate},
    {"AnUntrustedCertificate",
     [](Story& s) {
         s.crypto.findings = {refusal({Reason::certificate_untrusted, "who", "mend it"})};
     },
     Reason::certificate_untrusted, ExitCode::not_authentic, Outcome::refused, Stage::authenticate},
    {"AForgedSignature", failing("verify_signature", Reason::signature_mismatch), Reason::signature_mismatch,
     ExitCode::not_authentic, Outcome::refused, Stage::authenticate},
    {"AnIsoThatChangesMeanwhile", failing("expect_unchanged", Reason::media_changed), Reason::media_changed,
     ExitCode::media, Outcome::refused, Stage::mount},
    {"AForeignFileSystem", failing("mount", Reason::media_filesystem), Reason::media_filesystem,
     ExitCode::media, Outcome::refused, Stage::mount},
    {"AMediumWithoutItsScript", [](Story& s) { s.world.script = "install.sh"; }, Reason::media_content,
     ExitCode::media, Outcome::refused, Stage::mount},
    {"AnApplianceWithoutTheProduct", [](Story& s) { s.world.installed.clear(); }, Reason::product_absent,
     ExitCode::preflight_refused, Outcome::refused, Stage::preflight},
    {"ANewerProduct", [](Story& s) { install(s, "4.8"); }, Reason::version_not_newer,
     ExitCode::preflight_refused, Outcome::refused, Stage::preflight},
    {"AProductThatIsTooOld", [](Story& s) { install(s, "4.2"); }, Reason::version_source_too_old,
     ExitCode::preflight_refused, Outcome::refused, Stage::preflight},
    {"NoSnapshot", [](Story& s) { std::filesystem::remove(s.confirmation()); }, Reason::snapshot_unconfirmed,
     ExitCode::preflight_refused, Outcome::refused, Stage::preflight},
    {"AnOldSnapshot", [](Story& s) { s.world.clock += std::chrono::hours(25); }, Reason::snapshot_expired,
     ExitCode::preflight_refused, Outcome::refused, Stage::preflight},
    {"AFullDisk", [](Story& s) { s.world.free_space = 1 << 20; }, Reason::space_insufficient,
     ExitCode::preflight_refused, Outcome::refused, Stage::preflight},
    {"AMaskedSshd", [](Story& s) { s.world.units["sshd.service"].masked = true; }, Reason::sshd_unmanageable,
     ExitCode::preflight_refused, Outcome::refused, Stage::preflight},
    {"AMediumUnmountedBeforeTheChange",
     [](Story& s) { s.world.mounted.reset(), s.world.hooks["wait"] = [&s] { s.world.mounted.reset(); }; },
     Reason::media_changed, ExitCode::media, Outcome::failed, Stage::apply},
    {"AnSshdThatDoesNotStart",
     [](Story& s) {
         s.world.units["sshd.service"].active = "inactive";
         s.world.hooks["start sshd.service"] = [] { throw SystemFailure("start sshd.service", EIO); };
     },
     Reason::sshd_unmanageable, ExitCode::preflight_refused, Outcome::failed, Stage::prepare},
    {"AScriptThatFails", script([](World&, const Terminal::Session&) { return 3; }), Reason::script_failed,
     ExitCode::apply_failed, Outcome::needs_manual, Stage::apply},
    {"AScriptThatAsksSomethingElse", script([](World& world, const Terminal::Session& session) {
         world.awaits_input = true;
         session.on_output("Erase everything? ");
         session.on_quiet(std::chrono::seconds(15));
         return 0;
     }),
     Reason::script_prompt_unknown, ExitCode::apply_failed, Outcome::needs_manual, Stage::apply},
    {"AScriptThatStandsStill", script([](World&, const Terminal::Session& session) {
         session.on_output("Updating ...\n");
         session.on_quiet(std::chrono::minutes(30));
         return 0;
     }),
     Reason::script_stalled, ExitCode::apply_failed, Outcome::needs_manual, Stage::apply},
    {"AScriptThatEndsWellAndChangedNothing", script([](World&, const Terminal::Session&) { return 0; }),
     Reason::packages_incomplete, ExitCode::apply_failed, Outcome::needs_manual, Stage::apply},
};

class Refusal : public Story, public testing::WithParamInterface<Case> {};

} // namespace

TEST_P(Refusal, IsInTheRecordTheHistoryAndTheJournal) {
    const auto& c = GetParam();
    c.spoil(*this);
    const auto installed = world.installed;
    EXPECT_EQ(run(), c.code);
    const auto record = state();
    EXPECT_EQ(record.reason, c.reason);
    EXPECT_EQ(record.outcome, c.outcome);
    EXPECT_EQ(record.stage, c.stage);
    EXPECT_FALSE(record.message.empty());
    EXPECT_FALSE(record.hint.empty());
    EXPECT_FALSE(record.finished.empty());
    ASSERT_EQ(closed(), 1U);
    EXPECT_EQ(to_ini(store().closed()[0]), to_ini(record));
    EXPECT_FALSE(world.mounted);
    EXPECT_FALSE(world.called("reboot"));
    if (c.outcome != Outcome::needs_manual) {
        EXPECT_FALSE(world.called("script"));
        EXPECT_EQ(world.installed, installed);
    }

    const auto reason = std::string(word(c.reason));
    const auto story = events();
    const auto kind = c.stage < Stage::prepare ? "refused" : "stage-failed";
    EXPECT_NE(story.find(kind + (":" + std::string(word(c.stage))) + ":" + reason), std::string::npos)
        << story;
    const auto end = "upgrade-finished:" + std::string(word(c.outcome)) + ":" + reason;
    ASSERT_GE(story.size(), end.size());
    EXPECT_EQ(story.substr(story.size() - end.size()), end);
}

TEST_P(Refusal, LetsTheNextStartTryAnewOnlyWhenNothingWasChanged) {
    const auto& c = GetParam();
    c.spoil(*this);
    run();
    const bool anew = c.outcome != Outcome::needs_manual;
    EXPECT_EQ(run(), anew ? c.code : ExitCode::needs_manual);
    EXPECT_EQ(closed(), anew ? 2U : 1U);
}

INSTANTIATE_TEST_SUITE_P(Of, Refusal, testing::ValuesIn(cases),
                         [](const auto& instance) { return instance.param.name; });
