#pragma once
// What the upgrade needs from the world. Behind each port is one adapter in system/. Tests put fakes there.

#include "ports/appliance.hpp"
#include "ports/crypto.hpp"
#include "ports/journal.hpp"
#include "ports/keeper.hpp"
#include "ports/media_directory.hpp"
#include "ports/mounts.hpp"
#include "ports/services.hpp"
#include "ports/terminal.hpp"

namespace um {

struct Ports {
    MediaDirectory& media;
    Crypto& crypto;
    Mounts& mounts;
    Services& services;
    Appliance& appliance;
    Terminal& terminal;
    Journal& journal;
    Keeper& keeper;
};

} // namespace um
