/* liquid_dotnet.h: what templates (data/liquid.h) take from .NET.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/liquid.h"

extern const struct liquid_dotnet liquid_dotnet;
