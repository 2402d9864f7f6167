#pragma once
// The harness of the tamper table. It spoils genuine media case by case. The agent judges them, and so do the
// tools of the procedure by hand.
//
// The agent's part is `check` with real files and the real libcrypto. Media are accepted if it comes to mount
// them. The tools are the commands that the procedure names: sha1sum, openssl verify and openssl dgst.

#include "base/fd.hpp"
#include "config/config.hpp"
#include "support/keys.hpp"

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace um::test {

/// A chain, and every fault that a certificate can have.
const Keys& tamper_keys();

/// Genuine media in a directory of their own, and the configuration of the agent for them. A case spoils
/// either. The media are like the vendor's: a SHA-1 digest as OpenSSL writes it, signed with SHA-1.
class Media {
public:
    Media();
    Media(const Media&) = delete;
    Media& operator=(const Media&) = delete;
    ~Media();

    std::string path(const std::string& extension) const { return directory / (stem + extension); }
    std::string iso() const { return path(".iso"); }

    /// Writes the manifest and signs it, so that the manifest is the only fault.
    void manifest(const std::string& text);
    /// Signs the present manifest with `key`, and writes its certificate and the intermediate to the .crt.
    void signer(const std::string& key, const std::string& digest = "sha1", const std::string& options = "");
    /// Writes these certificates to the .crt, in this order.
    void bundle(const std::vector<std::string>& names) const;
    /// The digest of the ISO, computed by a program of coreutils.
    std::string sum(const std::string& program) const;
    /// "HEX  NAME\n" and "TAG(NAME)= HEX\n"
    std::string line(const std::string& program) const;
    std::string tagged(const std::string& tag) const;

    /// Another process runs a shell command in the directory. Waits until it ends, or until the agent's lease
    /// on the ISO blocks it.
    void meanwhile(const std::string& command);
    /// Keeps a file open until the object ends, as another process might.
    void hold(const std::string& file, int flags);

    Scratch directory{guarded_place};
    const std::string stem;
    Config config;
    std::function<void()> during;   ///< happens after the first bytes of the ISO were read
    std::function<void()> after;    ///< happens after the ISO was digested and before the mount
    std::function<void()> at_mount; ///< happens when the ISO is to be mounted
    std::function<void()> in_the_end;

    // for the command lines of the tools
    std::vector<std::string> sums{"sha1sum"};
    std::string verify_options;

    std::string signing_key = "signer";
    std::string signing_digest = "sha1";
    std::string signing_options;

private:
    void sign() const;
    bool held_up() const;
    ino_t inode_ = 0; ///< of the ISO, also after its name is gone
    std::vector<Fd> held_;
    std::vector<pid_t> processes_;
};

/// How the tools judge a case. `why` explains a verdict that is not the agent's.
struct Tools {
    enum class Verdict { alike, accept, refuse, none };
    Verdict verdict = Verdict::alike;
    std::string why{};
};
/// They accept what the agent refuses.
inline Tools blind(const std::string& why) {
    return {Tools::Verdict::accept, why};
}
/// They refuse what the agent accepts.
inline Tools stricter(const std::string& why) {
    return {Tools::Verdict::refuse, why};
}
/// They cannot judge it.
inline Tools silent(const std::string& why) {
    return {Tools::Verdict::none, why};
}

struct TamperCase {
    std::string name; ///< a sentence
    std::function<void(Media&)> spoil;
    /// The words with which the agent refuses, all of them and no others. "a|b" is one or the other, or both.
    /// "a?" may be missing. Empty if the media are accepted.
    std::string reasons;
    Tools tools{};
    std::string warnings{}; ///< with which media are accepted
    bool accepted() const { return reasons.empty(); }
};
void PrintTo(const TamperCase& tampered, std::ostream* out);

/// The table, by subject.
std::vector<TamperCase> content_cases();     ///< bytes of the files, and files of other releases
std::vector<TamperCase> file_cases();        ///< kinds of files, permissions, and changes during the check
std::vector<TamperCase> certificate_cases(); ///< chains, dates, revocation, usage, signers, keys
std::vector<TamperCase> signature_cases();
std::vector<TamperCase> manifest_cases();

struct Judgement {
    bool accepted = false;
    std::vector<std::string> refusals; ///< words
    std::vector<std::string> warnings;
    std::string messages;
    std::string failure; ///< a failure of the machine, which no spoiled medium may cause
    bool mount_asked = false;
    bool left_mounted = false;
    long descriptors_left = 0;
};
Judgement judged_by_agent(Media& media);

struct ToolsJudgement {
    bool accepted = false;
    std::string output;
};
ToolsJudgement judged_by_tools(const Media& media);

/// Whether the words are the expected ones. TamperCase::reasons explains the form.
bool words_match(const std::string& expected, const std::vector<std::string>& words);

// ways to spoil files
enum class Where { start, middle, end };
/// Changes one bit. The end is the last byte, or the byte before a line feed at the end of the file.
void flip(const std::string& path, Where where);
void truncate_file(const std::string& path, std::size_t bytes_less);
void append(const std::string& path, const std::string& text);

} // namespace um::test
