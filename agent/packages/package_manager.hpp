#pragma once
// The appliance's package manager, made to see the media's repository and nothing else.

#include "packages/packages.hpp"
#include "ports/ports.hpp"

#include <string>
#include <vector>

namespace um {

/// A private configuration is the one way that tdnf, dnf5, dnf and yum all understand alike:
/// `--disablerepo=*` hides the new repository as well, and tdnf 3.1 knows no `--repofrompath`. It stands in a
/// working directory that goes with the object. Who made the packages was settled when the medium was
/// authenticated as a whole, so their own signatures are not looked at.
class PackageManager {
public:
    /// Takes the first that is installed. Throws Failure (packages.unsolvable) when there is none,
    /// SystemFailure when the directory cannot be written.
    PackageManager(Ports& ports, std::string directory, const std::string& repository);
    PackageManager(const PackageManager&) = delete;
    PackageManager& operator=(const PackageManager&) = delete;
    ~PackageManager();

    const std::string& name() const { return name_; }
    /// The command that upgrades everything that the repository has news of.
    std::vector<std::string> upgrade() const;
    /// The command that installs packages once more, which runs their scripts.
    std::vector<std::string> reinstall(const std::vector<Package>& packages) const;
    /// The command that installs packages that are not there.
    std::vector<std::string> install(const std::vector<Package>& packages) const;
    /// What speaks against the upgrade, in the package manager's own words; empty: nothing does. Resolves,
    /// and where the package manager can, lets rpm test the transaction. Changes nothing. Throws
    /// SystemFailure.
    std::string objection() const;

private:
    std::vector<std::string> command(const std::vector<std::string>& words) const;
    std::vector<std::string> command(const char* verb, const std::vector<Package>& packages) const;

    Ports& ports_;
    std::string directory_;
    std::string name_;
};

} // namespace um
