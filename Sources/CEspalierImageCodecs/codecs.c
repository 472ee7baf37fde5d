#include "espalier_image_codecs.h"
