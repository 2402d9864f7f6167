#pragma once
// The appliance's package manager. It is made to see the media's repository and nothing else.

#include "packages/packages.hpp"
#include "ports/ports.hpp"

#include <string>
#include <vector>

namespace um {

/// A private configuration is the one way that tdnf, dnf5, dnf and yum all understand: `--disablerepo=*` also
/// hides the new repository, and tdnf 3.1 has no `--repofrompath`. The configuration is in a working
/// directory that the destructor removes. The packages' own signatures are not checked, because the medium
/// was authenticated as a whole.
class PackageManager {
public:
    /// Takes the first package manager that is installed. `directory` is the working directory. Throws
    /// Failure (packages.unsolvable) when there is none, and SystemFailure when the directory cannot be
    /// written.
    PackageManager(Ports& ports, std::string directory, const std::string& repository);
    PackageManager(const PackageManager&) = delete;
    PackageManager& operator=(const PackageManager&) = delete;
    ~PackageManager();

    const std::string& name() const { return name_; }
    /// The command that upgrades every package of which the repository has a newer version.
    std::vector<std::string> upgrade() const;
    /// The command that installs packages again, which runs their scripts.
    std::vector<std::string> reinstall(const std::vector<Package>& packages) const;
    /// The command that installs packages that are not installed.
    std::vector<std::string> install(const std::vector<Package>& packages) const;
    /// The package manager's objection to the upgrade, in its own words; empty when it has none. It resolves
    /// dependencies and, if it can, lets rpm test the transaction. Changes nothing. Throws SystemFailure.
    std::string objection() const;

private:
    std::vector<std::string> command(const std::vector<std::string>& words) const;
    std::vector<std::string> command(const char* verb, const std::vector<Package>& packages) const;

    Ports& ports_;
    std::string directory_;
    std::string name_;
};

} // namespace um
