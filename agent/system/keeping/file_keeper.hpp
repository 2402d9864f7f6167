#pragma once
// Keeps the old system as links and copies beside the present one. Each file system has one store, which only
// root can read or write.

#include "ports/keeper.hpp"
#include "system/keeping/kept_files.hpp"

#include <string>
#include <vector>

namespace um {

class FileKeeper final : public Keeper {
public:
    /// `directory`: /var/lib/um-upgrade. The list of kept files is below it, in rollback/ID/manifest.
    explicit FileKeeper(std::string directory) : directory_(std::move(directory)) {}

    KeepCost cost(const KeepScope& scope) override;
    KeepCost keep(const std::string& id, const KeepScope& scope, const Around& with_product_stopped) override;
    std::vector<std::string> kept() override;
    void make_room(const std::string& id) override;
    RollbackResult roll_back(const std::string& id, const std::vector<std::string>& added) override;
    std::vector<std::string> all() override;
    void discard(const std::string& id, Added added) override;
    std::vector<std::string> set_aside(const std::string& id) override;
    std::string directory(const std::string& id) override;

private:
    std::string base() const { return directory_ + "/rollback"; }
    std::vector<std::string> stores_of(const std::string& id);

    std::string directory_;
};

} // namespace um
