/* The kernels, written once with GCC/Clang vector extensions and compiled once for each instruction set.
 *
 * The including file defines VL (floats in a vector: no wider than the hardware's, GCC is slow beyond), ROWS(wide)
 * (rows of a register block that is `wide` vectors wide: as many as the registers hold) and KERNELS (name of the
 * table at the end). See plan.h for the layout.
 *
 * Each row of a product is summed over k in ascending order whatever rows stand beside it, and nonlinearities go
 * vector by vector through code that is not inlined: a window's prediction does not depend on its neighbours.
 */
#include <math.h>
#include <string.h>

#include "loss.h"
#include "plan.h"

#include "kernels/vectors.h"
#include "kernels/nonlinear.h"
#include "kernels/products.h"
#include "kernels/packing.h"
#include "kernels/panel.h"
#define CELL_KERNELS
#include "cells.h"
#include "kernels/dropout.h"
#include "kernels/reading.h"
#include "kernels/passes.h"
#include "kernels/forward.h"
#include "kernels/backward.h"
#include "kernels/optimisers.h"

const ts_kernels KERNELS = {ISA_NAME, VL, pack, learn, infer, gather, update};
