// All of rove.
#pragma once

#include <rove/chan.hpp>
#include <rove/context.hpp>
#include <rove/debug.hpp>
#include <rove/error.hpp>
#include <rove/go.hpp>
#include <rove/hooks.hpp>
#include <rove/host.hpp>
#include <rove/io.hpp>
#include <rove/net.hpp>
#include <rove/process.hpp>
#include <rove/parallel.hpp>
#include <rove/run.hpp>
#include <rove/runtime.hpp>
#include <rove/select.hpp>
#include <rove/signals.hpp>
#include <rove/sync.hpp>
#include <rove/time.hpp>
#include <rove/trace.hpp>
#include <rove/version.hpp>
