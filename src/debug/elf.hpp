// Names of functions from ELF files and the modules loaded in this process. Nothing here allocates.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rove::debug {

// The file of a program or shared library, mapped to be read.
class elf_image {
 public:
  elf_image() = default;
  explicit elf_image(const char* path) { open(path); }
  elf_image(const elf_image&) = delete;
  elf_image& operator=(const elf_image&) = delete;
  ~elf_image();

  void open(const char* path);     // once; a file that cannot be read has no functions

  struct function {
    const char* name = nullptr;    // as linked (mangled); lives as long as the image; null: unknown
    std::uint64_t start = 0;
  };
  // The function that holds `address`, as numbered in the file. From .symtab, else from .dynsym.
  function find(std::uint64_t address) const;

 private:
  function find_in(const unsigned char* sections, std::uint64_t count, std::uint64_t index,
                   std::uint64_t address) const;
  bool holds(std::uint64_t offset, std::uint64_t count, std::uint64_t size) const;

  const unsigned char* data_ = nullptr;
  std::uint64_t size_ = 0;
};

// Where an address of this process belongs.
struct module_place {
  const char* name = nullptr;      // path as the loader knows it; empty for the program itself; null: nowhere
  std::uint64_t base = 0;          // what the loader added to the file's addresses
  std::uint64_t address = 0;       // as numbered in the file

  bool is_program() const { return name != nullptr && *name == '\0'; }
  const char* file() const { return is_program() ? "/proc/self/exe" : name; }
};
module_place find_module(const void* pc);

// The program's own path into `buffer`; never fails, at worst it is "main program". Returns its length.
std::size_t program_path(char* buffer, std::size_t size);

}  // namespace rove::debug
