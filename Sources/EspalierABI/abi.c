// The boundary is a header; this file only makes the compiler check that it stands alone.
#include "espalier_plugin.h"
