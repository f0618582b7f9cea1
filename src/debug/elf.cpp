// Reading ELF symbol tables. The file is untrusted input: every offset in it is checked against its size.
//
// A lookup is a linear walk over the table: reports ask for a few dozen addresses and remember the answers, so an index
// would cost more than it saves, and without one this works in a signal handler.
#include "src/debug/elf.hpp"

#include <array>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rove::debug {

void elf_image::open(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  struct stat status;
  if (fstat(fd, &status) == 0 && status.st_size >= static_cast<off_t>(sizeof(Elf64_Ehdr))) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    void* const map = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map != MAP_FAILED) data_ = static_cast<const unsigned char*>(map);
  }
  close(fd);
}

elf_image::~elf_image() {
  if (data_ != nullptr) munmap(const_cast<unsigned char*>(data_), size_);
}

bool elf_image::holds(std::uint64_t offset, std::uint64_t count, std::uint64_t size) const {
  return offset <= size_ && count <= (size_ - offset) / size;
}

namespace {

// Records are copied out, for nothing says that they are aligned in the file.
template <class Record>
Record read(const unsigned char* from) {
  Record r;
  std::memcpy(&r, from, sizeof r);
  return r;
}

bool is_function(const Elf64_Sym& s) {
  const int type = ELF64_ST_TYPE(s.st_info);
  return (type == STT_FUNC || type == STT_GNU_IFUNC) && s.st_shndx != SHN_UNDEF && s.st_name != 0;
}

// Of several that start below an address: the nearest wins; at one start the one with a size, then the more public.
bool better(const Elf64_Sym& a, const Elf64_Sym& b) {
  if (a.st_value != b.st_value) return a.st_value > b.st_value;
  if ((a.st_size != 0) != (b.st_size != 0)) return a.st_size != 0;
  return ELF64_ST_BIND(a.st_info) != STB_LOCAL && ELF64_ST_BIND(b.st_info) == STB_LOCAL;
}

// The function that covers the address. Failing that, one of size 0 (hand-written assembly): it reaches up to the next.
bool search(const unsigned char* table, std::uint64_t count, std::uint64_t address, Elf64_Sym& result) {
  Elf64_Sym covering{};
  Elf64_Sym nearest{};
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto s = read<Elf64_Sym>(table + i * sizeof(Elf64_Sym));
    if (!is_function(s) || s.st_value > address) continue;
    if (address - s.st_value < s.st_size && (covering.st_name == 0 || better(s, covering))) covering = s;
    if (nearest.st_name == 0 || better(s, nearest)) nearest = s;
  }
  result = covering.st_name != 0 ? covering : nearest;
  return covering.st_name != 0 || (nearest.st_name != 0 && nearest.st_size == 0);
}

}  // namespace

// The answer of one symbol table, if it has one.
elf_image::function elf_image::find_in(const unsigned char* sections, std::uint64_t count, std::uint64_t index,
                                       std::uint64_t address) const {
  const auto table = read<Elf64_Shdr>(sections + index * sizeof(Elf64_Shdr));
  const std::uint64_t symbols = table.sh_size / sizeof(Elf64_Sym);
  if (table.sh_link >= count || !holds(table.sh_offset, symbols, sizeof(Elf64_Sym))) return {};
  const auto strings = read<Elf64_Shdr>(sections + table.sh_link * sizeof(Elf64_Shdr));
  if (!holds(strings.sh_offset, strings.sh_size, 1)) return {};
  Elf64_Sym found{};
  if (!search(data_ + table.sh_offset, symbols, address, found) || found.st_name >= strings.sh_size) return {};
  if (found.st_size == 0) {  // then it must at least be in the section of its function
    if (found.st_shndx >= count) return {};
    const auto home = read<Elf64_Shdr>(sections + found.st_shndx * sizeof(Elf64_Shdr));
    if (address - home.sh_addr >= home.sh_size) return {};
  }
  const auto* const name = reinterpret_cast<const char*>(data_ + strings.sh_offset + found.st_name);
  if (std::memchr(name, 0, strings.sh_size - found.st_name) == nullptr) return {};
  return {name, found.st_value};
}

elf_image::function elf_image::find(std::uint64_t address) const {
  if (data_ == nullptr) return {};
  const auto header = read<Elf64_Ehdr>(data_);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) return {};
  if (header.e_shentsize != sizeof(Elf64_Shdr) || !holds(header.e_shoff, 1, sizeof(Elf64_Shdr))) return {};
  const unsigned char* const sections = data_ + header.e_shoff;
  std::uint64_t count = header.e_shnum;
  if (count == 0) count = read<Elf64_Shdr>(sections).sh_size;  // more sections than 16 bits can count
  if (!holds(header.e_shoff, count, sizeof(Elf64_Shdr))) return {};

  for (const std::uint32_t type : std::array<std::uint32_t, 2>{SHT_SYMTAB, SHT_DYNSYM}) {
    for (std::uint64_t i = 0; i < count; ++i) {
      if (read<Elf64_Shdr>(sections + i * sizeof(Elf64_Shdr)).sh_type != type) continue;
      if (const function f = find_in(sections, count, i, address); f.name != nullptr) return f;
    }
  }
  return {};
}

// ---- what is loaded ------------------------------------------------------------------------------------------------

namespace {

struct module_search {
  std::uint64_t pc;
  module_place place;
};

int visit_module(dl_phdr_info* info, std::size_t, void* argument) {
  auto& search = *static_cast<module_search*>(argument);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    const std::uint64_t start = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || search.pc - start >= segment.p_memsz) continue;
    search.place = {info->dlpi_name != nullptr ? info->dlpi_name : "", info->dlpi_addr, search.pc - info->dlpi_addr};
    return 1;
  }
  return 0;
}

}  // namespace

module_place find_module(const void* pc) {
  module_search search{reinterpret_cast<std::uint64_t>(pc), {}};
  dl_iterate_phdr(visit_module, &search);
  return search.place;
}

std::size_t program_path(char* buffer, std::size_t size) {
  const ssize_t length = readlink("/proc/self/exe", buffer, size);
  if (length > 0) return static_cast<std::size_t>(length);
  constexpr char unknown[] = "main program";
  const std::size_t part = size < sizeof unknown - 1 ? size : sizeof unknown - 1;
  std::memcpy(buffer, unknown, part);
  return part;
}

}  // namespace rove::debug
