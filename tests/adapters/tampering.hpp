#pragma once
// The tamper table's harness: genuine media, spoilt case by case, judged by the agent and by the source's
// tools.
//
// The agent is the story of `check` on the real files and the real libcrypto; media are accepted when the
// story comes to mount them. The tools are the commands that the procedure by hand gives: sha1sum, openssl
// verify and openssl dgst.

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

/// Genuine media in a directory of their own, and how the agent is set up for them. A case spoils either.
/// They come as the vendor's do: a SHA-1 digest as OpenSSL writes it, signed with SHA-1.
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
    /// Who signs, and with what. Signs the manifest that is there; the certificate comes with the
    /// intermediate.
    void signer(const std::string& key, const std::string& digest = "sha1", const std::string& options = "");
    /// The certificates in the .crt, in this order.
    void bundle(const std::vector<std::string>& names) const;
    /// A digest of the ISO, by one of coreutils' programs.
    std::string sum(const std::string& program) const;
    /// "HEX  NAME\n" and "TAG(NAME)= HEX\n"
    std::string line(const std::string& program) const;
    std::string tagged(const std::string& tag) const;

    /// Another process runs a command of the shell in the directory; waits until it has done, or until the
    /// agent's lease on the ISO holds it up.
    void meanwhile(const std::string& command);
    /// Keeps a file open, as another process might.
    void hold(const std::string& file, int flags);

    Scratch directory{guarded_place};
    const std::string stem;
    Config config;
    std::function<void()> during;   ///< happens after the ISO's first bytes were read
    std::function<void()> after;    ///< happens after the ISO was digested, before it would be mounted
    std::function<void()> at_mount; ///< happens when the ISO is being mounted
    std::function<void()> in_the_end;

    // what the tools are told
    std::vector<std::string> sums{"sha1sum"};
    std::string verify_options;

    std::string signing_key = "signer";
    std::string signing_digest = "sha1";
    std::string signing_options;

private:
    void sign() const;
    bool held_up() const;
    ino_t inode_ = 0; ///< the ISO's, whatever becomes of its name
    std::vector<Fd> held_;
    std::vector<pid_t> processes_;
};

/// What the tools say of a case, where it is not what the agent says.
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
    /// The words that the agent refuses with, all of them and no others: "a|b" is one or the other (or both),
    /// "a?" may be missing. Empty: the media are accepted.
    std::string reasons;
    Tools tools{};
    std::string warnings{}; ///< of media that are accepted
    bool accepted() const { return reasons.empty(); }
};
void PrintTo(const TamperCase& tampered, std::ostream* out);

/// The table, by subject.
std::vector<TamperCase> content_cases(); ///< bytes of the files, and files of other releases
std::vector<TamperCase> file_cases();    ///< what the files are, who may write to them, and when they change
std::vector<TamperCase> certificate_cases(); ///< chains, dates, revocation, usage, signers, keys
std::vector<TamperCase> signature_cases();
std::vector<TamperCase> manifest_cases();

struct Judgement {
    bool accepted = false;
    std::vector<std::string> refusals; ///< words
    std::vector<std::string> warnings;
    std::string messages;
    std::string failure; ///< what the machine failed, which no spoilt medium may bring about
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

/// Whether the words are the expected ones. See TamperCase::reasons.
bool words_match(const std::string& expected, const std::vector<std::string>& words);

// how files are spoilt
enum class Where { start, middle, end };
/// Changes one bit; the end is the last byte before a line feed that ends the file.
void flip(const std::string& path, Where where);
void truncate_file(const std::string& path, std::size_t bytes_less);
void append(const std::string& path, const std::string& text);

} // namespace um::test
