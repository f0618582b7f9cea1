// The version, by the rules of semantic versioning: meson.build checks that it is the project's.
#pragma once

// Before 1 a new minor number may break programs, from then on a new major number.
#define ROVE_VERSION_MAJOR 0
// What is new.
#define ROVE_VERSION_MINOR 1
// Corrections.
#define ROVE_VERSION_PATCH 0
// All three.
#define ROVE_VERSION_STRING "0.1.0"

// One number that can be compared: 1.2.3 is 10203.
#define ROVE_VERSION (ROVE_VERSION_MAJOR * 10000 + ROVE_VERSION_MINOR * 100 + ROVE_VERSION_PATCH)
