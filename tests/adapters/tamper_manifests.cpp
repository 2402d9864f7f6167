// The tamper table: manifests that the signer really signed, in every genuine form and in forms that are not.

#include "adapters/tampering.hpp"
#include "unit/fake_ports.hpp"

#include <algorithm>
#include <filesystem>

namespace um::test {
namespace {

using Text = std::function<std::string(const Media&)>;

/// Signs a manifest. `sums`: the programs of coreutils that understand it.
std::function<void(Media&)> manifest(const Text& text, const std::vector<std::string>& sums = {"sha1sum"}) {
    return [text, sums](Media& media) {
        media.sums = sums;
        media.manifest(text(media));
    };
}

/// Signs with SHA-256, so that only the digest in the manifest can be weak.
std::function<void(Media&)> well_signed(const Text& text, const std::vector<std::string>& sums) {
    return [text, sums](Media& media) {
        manifest(text, sums)(media);
        media.signer("signer", "sha256");
    };
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

std::string upper_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

/// "HEX" + between + "NAME\n"
Text separated(const std::string& between) {
    return [between](const Media& media) { return media.sum("sha1sum") + between + iso_name + "\n"; };
}

/// "HEX  NAME\n"
Text named(const std::string& name) {
    return [name](const Media& media) { return media.sum("sha1sum") + "  " + name + "\n"; };
}

/// "HEX  NAME\n" with a digest of so many digits.
Text digits(std::size_t count) {
    return [count](const Media&) { return std::string(count, 'a') + "  " + iso_name + "\n"; };
}

/// The genuine line with something before and after it.
Text around(const std::string& before, const std::string& after) {
    return [before, after](const Media& media) { return before + media.line("sha1sum") + after; };
}

const std::string zeros(40, '0');
const auto lax = blind("sha1sum is laxer about blanks");
const auto another_file = stricter("sha1sum wants every file that is named");

std::vector<TamperCase> genuine_manifests() {
    const auto both = [](const Media& media) { return media.line("sha1sum") + media.line("sha256sum"); };
    return {
        {"The manifest gives SHA-256",
         well_signed([](const Media& media) { return media.line("sha256sum"); }, {"sha256sum"}), ""},
        {"The manifest gives SHA-384",
         well_signed([](const Media& media) { return media.line("sha384sum"); }, {"sha384sum"}), ""},
        {"The manifest gives SHA-512",
         well_signed([](const Media& media) { return media.line("sha512sum"); }, {"sha512sum"}), ""},
        {"The manifest gives SHA-1 and SHA-256, which both match",
         well_signed(both, {"sha1sum", "sha256sum"}), ""},
        {"The manifest gives every digest, each in another form",
         well_signed(
             [both](const Media& media) {
                 return both(media) + media.tagged("SHA384") + media.tagged("SHA512");
             },
             {"sha1sum", "sha256sum", "sha384sum", "sha512sum"}),
         ""},
        {"The manifest is as BSD writes it",
         well_signed(
             [](const Media& media) {
                 return "SHA256 (" + iso_name + ") = " + media.sum("sha256sum") + "\n";
             },
             {"sha256sum"}),
         ""},
        {"The manifest's lines end as on Windows",
         manifest([](const Media& media) { return replaced(media.line("sha1sum"), "\n", "\r\n"); }),
         "",
         {},
         "digest.weak"},
        {"The manifest's last line has no end",
         manifest([](const Media& media) { return replaced(media.line("sha1sum"), "\n", ""); }),
         "",
         {},
         "digest.weak"},
        {"The manifest names the ISO with ./", manifest(named("./" + iso_name)), "", {}, "digest.weak"},
        {"The manifest marks the ISO as binary", manifest(separated(" *")), "", {}, "digest.weak"},
        {"The manifest's line is marked as escaped", manifest(around("\\", "")), "", {}, "digest.weak"},
        {"The manifest's digits are capitals",
         manifest(
             [](const Media& media) { return upper_case(media.sum("sha1sum")) + "  " + iso_name + "\n"; }),
         "",
         {},
         "digest.weak"},
        {"The manifest holds comments",
         manifest(around("# by release engineering\n", "# the end\n")),
         "",
         {},
         "digest.weak"},
        {"The manifest holds blank lines", manifest(around("\n", "\n\n")), "", {}, "digest.weak"},
        {"The manifest names other files, too",
         manifest(around(zeros + "  product.ova\n", zeros + "  README\n")), "", another_file, "digest.weak"},
        {"The manifest names ten thousand files", manifest([](const Media& media) {
             std::string text;
             for (int at = 0; at < 10'000; ++at)
                 text += zeros + "  file-" + std::to_string(at) + "\n";
             return text + media.line("sha1sum");
         }),
         "", another_file, "digest.weak"},
    };
}

std::vector<TamperCase> entries() {
    return {
        {"The manifest is empty, and signed", manifest([](const Media&) { return ""; }), "manifest.no-entry"},
        {"The manifest holds nothing but a comment", manifest([](const Media&) { return "# nothing\n"; }),
         "manifest.no-entry"},
        {"The manifest names another file", manifest([](const Media& media) {
             std::filesystem::copy_file(media.iso(), media.directory / "other");
             return media.sum("sha1sum") + "  other\n";
         }),
         "manifest.no-entry", blind("sha1sum checks what is named, whatever that is")},
        {"The manifest names another file, which is not there", manifest(named("other.iso")),
         "manifest.no-entry"},
        {"The manifest names the ISO with ./ twice", manifest(named("././" + iso_name)), "manifest.no-entry",
         blind("sha1sum follows the path")},
        {"The manifest names the ISO in lower case", manifest([](const Media& media) {
             return media.sum("sha1sum") + "  u" + iso_name.substr(1) + "\n";
         }),
         "manifest.no-entry"},
        {"The manifest names an ISO above", manifest([](const Media& media) {
             return media.sum("sha1sum") + "  ../" +
                    std::filesystem::path(media.directory.path()).filename().string() + "/" + iso_name + "\n";
         }),
         "manifest.no-entry", blind("sha1sum follows the path, which here leads back")},
        {"The manifest names an ISO above, where there is none", manifest(named("../" + iso_name)),
         "manifest.no-entry"},
        {"The manifest names an ISO in a directory", manifest([](const Media& media) {
             std::filesystem::create_directory(media.directory / "dir");
             std::filesystem::copy_file(media.iso(), media.directory / ("dir/" + iso_name));
             return media.sum("sha1sum") + "  dir/" + iso_name + "\n";
         }),
         "manifest.no-entry", blind("sha1sum follows the path")},
        {"The manifest names the ISO by its whole path",
         manifest([](const Media& media) { return media.sum("sha1sum") + "  " + media.iso() + "\n"; }),
         "manifest.no-entry", blind("sha1sum follows the path")},
        {"The manifest names the ISO with a blank at its end", manifest(named(iso_name + " ")),
         "manifest.no-entry|manifest.malformed"},
        {"The manifest names the ISO with a third blank", manifest(separated("   ")),
         "manifest.no-entry|manifest.malformed"},
        {"The manifest names the ISO with a line feed at its end, escaped",
         manifest([](const Media& media) { return "\\" + media.sum("sha1sum") + "  " + iso_name + "\\n\n"; }),
         "manifest.no-entry"},
        {"The manifest names the ISO in a comment only", manifest(around("# ", "")), "manifest.no-entry"},
    };
}

std::vector<TamperCase> digests() {
    const auto other = [](const std::string& program, const Media& media) {
        auto line = media.line(program);
        line.front() = line.front() == '0' ? '1' : '0';
        return line;
    };
    const auto same_twice = [](const Media& media) { return media.line("sha1sum") + media.line("sha1sum"); };
    return {
        {"The manifest's digest is another",
         manifest([=](const Media& media) { return other("sha1sum", media); }), "manifest.mismatch"},
        {"The manifest gives the ISO's digest twice", manifest(same_twice), "manifest.duplicate",
         blind("sha1sum checks each line by itself")},
        {"The manifest gives the ISO's digest twice, once with ./", manifest([](const Media& media) {
             return media.line("sha1sum") + media.sum("sha1sum") + "  ./" + iso_name + "\n";
         }),
         "manifest.duplicate", blind("sha1sum checks each line by itself")},
        {"The manifest gives two SHA-1 digests, the first the right one",
         manifest([=](const Media& media) { return media.line("sha1sum") + other("sha1sum", media); }),
         "manifest.duplicate"},
        {"The manifest gives two SHA-1 digests, the second the right one",
         manifest([=](const Media& media) { return other("sha1sum", media) + media.line("sha1sum"); }),
         "manifest.duplicate"},
        {"The manifest's SHA-1 matches, its SHA-256 does not",
         manifest([=](const Media& media) { return media.line("sha1sum") + other("sha256sum", media); },
                  {"sha1sum", "sha256sum"}),
         "manifest.mismatch"},
        {"The manifest's SHA-256 matches, its SHA-1 does not",
         manifest([=](const Media& media) { return other("sha1sum", media) + media.line("sha256sum"); },
                  {"sha1sum", "sha256sum"}),
         "manifest.mismatch"},
        {"The manifest's SHA-512 matches, its SHA-384 does not",
         manifest([=](const Media& media) { return media.line("sha512sum") + other("sha384sum", media); },
                  {"sha512sum", "sha384sum"}),
         "manifest.mismatch"},
        {"The manifest gives SHA-1, which the policy refuses",
         [](Media& media) {
             media.signer("signer", "sha256");
             media.config.trust.sha1 = Policy::refuse;
         },
         "digest.weak", blind("sha1sum knows no such policy")},
        {"The manifest gives SHA-1 and SHA-256, where the policy refuses SHA-1",
         [](Media& media) {
             well_signed([](const Media& it) { return it.line("sha1sum") + it.line("sha256sum"); },
                         {"sha1sum", "sha256sum"})(media);
             media.config.trust.sha1 = Policy::refuse;
         },
         ""},
    };
}

std::vector<TamperCase> malformed() {
    const std::string bad = "manifest.malformed";
    return {
        {"The manifest begins with a byte order mark", manifest(around("\xef\xbb\xbf", "")), bad},
        {"The manifest is in UTF-16", manifest([](const Media& media) {
             std::string wide("\xff\xfe");
             for (const char c : media.line("sha1sum"))
                 wide += std::string{c, '\0'};
             return wide;
         }),
         bad},
        {"The manifest's lines end as on an old Macintosh", manifest([](const Media& media) {
             return replaced(media.line("sha1sum"), "\n", "\r") + media.line("sha1sum");
         }),
         "manifest.malformed|manifest.no-entry"},
        {"The manifest holds a line that says nothing", manifest(around("", "genuine\n")), bad},
        {"The manifest holds a zero byte", manifest(around("", std::string("\0\n", 2))), bad},
        {"The manifest holds a zero byte in the ISO's name",
         manifest(named(iso_name + std::string("\0x", 2))), bad,
         blind("sha1sum reads a name up to the zero")},
        {"The manifest's line is indented", manifest(around("  ", "")), bad, lax},
        {"The manifest's name follows a tabulator", manifest(separated("\t")), bad, lax},
        {"The manifest's name follows a single blank", manifest(separated(" ")), bad, lax},
        {"The manifest's name follows at once", manifest(separated("")), bad},
        {"The manifest's tagged line has no blank",
         manifest([](const Media& media) { return replaced(media.tagged("SHA1"), "= ", "="); }), bad, lax},
        {"The manifest's tagged line does not end the name",
         manifest([](const Media& media) { return replaced(media.tagged("SHA1"), ")", ""); }), bad},
        {"The manifest's digest lacks a digit", manifest(digits(39)), bad},
        {"The manifest's digest has a digit too many", manifest(digits(41)), bad},
        {"The manifest's digest has a digit that is none",
         manifest([](const Media& media) { return "g" + media.line("sha1sum").substr(1); }), bad},
        {"The manifest gives MD5",
         manifest([](const Media& media) { return media.line("md5sum"); }, {"md5sum"}), bad,
         blind("md5sum checks it")},
        {"The manifest gives MD5 in a tag",
         manifest([](const Media& media) { return media.tagged("MD5"); }, {"md5sum"}), bad,
         blind("md5sum checks it")},
        {"The manifest gives SHA-224",
         manifest([](const Media& media) { return media.line("sha224sum"); }, {"sha224sum"}), bad,
         blind("sha224sum checks it")},
        {"The manifest's tag is another digest's",
         manifest([](const Media& media) { return replaced(media.tagged("SHA1"), "SHA1", "SHA256"); },
                  {"sha256sum"}),
         bad},
        {"The manifest's escapes are none",
         manifest([](const Media& media) { return "\\" + media.sum("sha1sum") + "  \\q" + iso_name + "\n"; }),
         bad},
        {"The manifest is a line of a million digits",
         manifest([](const Media&) { return std::string(1'000'000, 'a'); }), bad},
        {"The manifest is random bytes",
         manifest([](const Media& media) { return text_of(media.iso()).substr(0, 4096); }), bad},
    };
}

} // namespace

std::vector<TamperCase> manifest_cases() {
    std::vector<TamperCase> table;
    for (const auto part : {genuine_manifests, entries, digests, malformed})
        for (auto& tampered : part())
            table.push_back(std::move(tampered));
    return table;
}

} // namespace um::test
