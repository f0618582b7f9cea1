// All of rove.
#pragma once

#include <rove/chan.hpp>
#include <rove/error.hpp>
#include <rove/go.hpp>
#include <rove/run.hpp>
#include <rove/runtime.hpp>
#include <rove/sync.hpp>
#include <rove/time.hpp>
