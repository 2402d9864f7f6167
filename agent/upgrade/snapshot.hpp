#pragma once
// The operator's confirmation that a snapshot exists (precondition 1 of the procedure). The snapshot is in
// vCenter, where the agent cannot look.

#include <chrono>
#include <optional>
#include <string>

namespace um {

/// The last resort after a failed upgrade. It loses the usage data that were collected since the snapshot.
inline constexpr auto revert_to_snapshot = "revert the virtual machine to its snapshot";

struct SnapshotConfirmation {
    std::string name;    ///< what the operator calls the snapshot
    std::string by;      ///< login name
    std::string version; ///< of the product at that time; a snapshot of an older version does not count
    std::chrono::system_clock::time_point confirmed;
    std::chrono::system_clock::time_point valid_until;
};

/// Saves the confirmation durably. Returns it as saved: each text on one line, and at most 150 bytes long.
/// Throws SystemFailure.
SnapshotConfirmation save_confirmation(const std::string& path, SnapshotConfirmation confirmation);

/// Nothing when there is none. Throws Failure (snapshot.unconfirmed) when it cannot be understood, and
/// SystemFailure.
std::optional<SnapshotConfirmation> load_confirmation(const std::string& path);

/// Reads what the hypervisor's administrator put into guestinfo.um-upgrade.snapshot: name=TEXT; version=TEXT;
/// valid-until=2026-11-23T22:00:00Z (UTC), on one line or several. Nothing when a part is missing or wrong.
/// `now`: becomes the time of the confirmation.
std::optional<SnapshotConfirmation> parse_guestinfo(const std::string& text,
                                                    std::chrono::system_clock::time_point now);

} // namespace um
