#pragma once
// The operator's word that a snapshot exists (precondition 1 of the procedure): it lives in vCenter, where
// the agent cannot look.

#include <chrono>
#include <optional>
#include <string>

namespace um {

/// The last way out of a failed upgrade. It loses the usage data that were collected since.
inline constexpr auto revert_to_snapshot = "revert the virtual machine to its snapshot";

struct SnapshotConfirmation {
    std::string name; ///< what the operator calls the snapshot
    std::string by;   ///< login name
    std::string
        version; ///< of the product when it was confirmed: a snapshot of an older version is no way back
    std::chrono::system_clock::time_point confirmed;
    std::chrono::system_clock::time_point valid_until;
};

/// Returns it as it is kept: each text on one line, and not too long. Throws SystemFailure.
SnapshotConfirmation save_confirmation(const std::string& path, SnapshotConfirmation confirmation);

/// Nothing when there is none. Throws Failure (snapshot.unconfirmed) when it cannot be understood.
std::optional<SnapshotConfirmation> load_confirmation(const std::string& path);

/// What the hypervisor's administrator put into guestinfo.um-upgrade.snapshot: name=TEXT; version=TEXT;
/// valid-until=2026-11-23T22:00:00Z (UTC), on one line or several. Nothing when a part is missing or wrong.
std::optional<SnapshotConfirmation> parse_guestinfo(const std::string& text,
                                                    std::chrono::system_clock::time_point now);

} // namespace um
