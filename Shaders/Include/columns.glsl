// How workgroups share a map x[B,P,C] whose channels are treated one by one: a workgroup takes a block of
// a sample's pixels and a tile of channels, an invocation every few pixels of one or four channels.
//
// Needs types.glsl, sources.glsl and grid.glsl.
layout(constant_id = 3) const uint columns = 16;  // invocations side by side along C, a power of two
layout(constant_id = 4) const bool wide = true;   // four channels an invocation: C % 4 == 0

struct MapShape {
  uint samples;
  uint pixels;
  uint channels;
  uint block;  // pixels of a workgroup
};

struct Place {
  uint item;     // of the batch
  uint part;     // sample · blocks + block: where partial results go
  uint channel;  // the first of the invocation's
  uint begin;    // the first of its pixels, counted through all samples
  uint end;      // of the block
};

uint pixel_step() { return gl_WorkGroupSize.x / columns; }

// An invocation beyond the map gets an empty range and channel 0, so that it may read vectors.
Place place_in(MapShape shape) {
  uint width = wide ? shape.channels >> 2 : shape.channels;
  uint tiles = (width + columns - 1u) / columns;
  uint blocks = (shape.pixels + shape.block - 1u) / shape.block;
  uint column = (group_index() % tiles) * columns + (gl_LocalInvocationID.x & (columns - 1u));
  Place place;
  place.part = group_index() / tiles;
  place.item = place.part / blocks;
  place.channel = wide ? column << 2 : column;
  uint first = place.part % blocks * shape.block;
  place.begin = place.item * shape.pixels + first + gl_LocalInvocationID.x / columns;
  place.end = place.item * shape.pixels + min(first + shape.block, shape.pixels);
  if (column >= width || place.item >= shape.samples) {
    place.channel = 0;
    place.item = 0;
    place.end = 0;
  }
  return place;
}

// True for the one invocation that stores the workgroup's result of its channels.
bool stores(Place place) { return place.end > 0u && gl_LocalInvocationID.x < columns; }

#define row_source(slot, t, row, place, shape) \
  (wide ? VALUES(slot, t, ((row) * shape.channels + place.channel) >> 2, ACT) \
        : vec4(VALUE(slot, t, (row) * shape.channels + place.channel, ACT), 0, 0, 0))

// The invocation's channels of a row of the map, which the shader may also write.
vec4 row_at(Acts t, uint row, Place place, MapShape shape) {
  uint index = row * shape.channels + place.channel;
  return wide ? load4(t, index >> 2) : vec4(load(t, index), 0, 0, 0);
}

void store_row(Acts t, uint row, Place place, MapShape shape, vec4 value) {
  uint index = row * shape.channels + place.channel;
  if (wide) {
    store4(t, index >> 2, value);
  } else {
    store(t, index, value.x);
  }
}

// The same for partial results [parts,C] in f32.
void store_part(Floats t, Place place, MapShape shape, vec4 value) {
  uint index = place.part * shape.channels + place.channel;
  if (wide) {
    Float4s(uvec2(t)).at[index >> 2] = value;
  } else {
    t.at[index] = value.x;
  }
}

// The invocation's elements of a vector [C]. Needs vectors.glsl.
vec4 channels_of(Words t, Place place, uint dtype) {
  return wide ? vector4_at(t, place.channel >> 2, dtype)
              : vec4(vector_at(t, place.channel, dtype), 0, 0, 0);
}

// What its channels find in statistics [B,G].
vec4 groups_of(Floats t, Place place, uint groups, uint group_width) {
  uint first = place.item * groups;
  uint c = place.channel;
  vec4 found;
  found.x = t.at[first + c / group_width];
  if (wide) {
    found.y = t.at[first + (c + 1u) / group_width];
    found.z = t.at[first + (c + 2u) / group_width];
    found.w = t.at[first + (c + 3u) / group_width];
  } else {
    found.yzw = found.xxx;
  }
  return found;
}
