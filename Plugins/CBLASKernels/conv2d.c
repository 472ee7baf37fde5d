/* CONV2D. */
#include "conv2d_im2col.h"
#include "kernel_list_matmul.h"
#include "widen.h"
#include "winograd.h"

/* The call as the algorithms see it. Where pointers are not known yet, operands that are there get a stand-in. */
static bk_conv_forward make_forward(const bk_call *call) {
  static const float present = 0;
  const bk_tensor *x = bk_input(call, 0), *w = bk_input(call, 1), *y = bk_output(call, 0);
  const bk_tensor *channel = bk_input(call, 3), *residual = bk_input(call, 4);
  bk_conv_forward conv = {0};
  conv.shape = bk_convolution_of(call, x, w, y);
  conv.x = x->data;
  conv.w = w->data;
  conv.w_dtype = w->dtype;
  conv.copy = call->copy;
  conv.y = y->data;
  conv.epilogue.columns = conv.shape.out_channels;
  conv.epilogue.rows_per_sample = conv.shape.out_height * conv.shape.out_width;
  conv.epilogue.activation = (int32_t)call->i[0];
  if (channel) conv.epilogue.channel = channel->data ? channel->data : &present;
  if (residual) conv.epilogue.residual = residual->data ? residual->data : &present;
  return conv;
}

static const char *check(const bk_call *call) {
  const bk_tensor *y = bk_output(call, 0), *bias = bk_input(call, 2), *channel = bk_input(call, 3);
  const bk_tensor *residual = bk_input(call, 4);
  const char *reason = bk_convolution_check(call, bk_input(call, 0), bk_input(call, 1), y);
  if (reason) return reason;
  if (bias && (bias->rank != 1 || bias->dims[0] != y->dims[3] || !bk_is_floating(bias)))
    return "the bias must be a vector of f32, f16 or bf16, one value per output channel";
  if (channel && (channel->rank != 2 || channel->dims[0] != y->dims[0] || channel->dims[1] != y->dims[3] ||
                  !bk_is_f32(channel)))
    return "the channel term must be f32 [batch, output channels]";
  if (residual && (!bk_is_f32(residual) || !bk_same_shape(residual, y)))
    return "the residual must be f32, shaped as the output";
  if (call->i[0] < ESP_ACT_NONE || call->i[0] > ESP_ACT_SIGMOID) return "unknown activation";
  return 0;
}

/* Weights in training are convolved by the form whose error is that of plain products, a third of the other's: an
 * adapter's ReLUs jump at zero, and AdamW turns noise in small gradients into whole steps, so that runs would drift
 * apart. */
static bk_winograd make_winograd(const bk_call *call, const bk_conv_forward *conv) {
  const bk_convolution *c = &conv->shape;
  const bk_winograd_form *form = bk_input(call, 1)->role == ESP_ROLE_STATE ? &bk_winograd_2 : &bk_winograd_4;
  bk_winograd w = {form,           c->batch, c->height, c->width, c->channels, c->out_height,  c->out_width,
                   c->out_channels, c->top,   c->left,   conv->x,  conv->w,     conv->w_dtype, 0,
                   conv->y,         conv->epilogue, conv->copy};
  return w;
}

static int uses_winograd(const bk_conv_forward *conv, const bk_winograd *w) {
  return bk_is_3x3(&conv->shape) && bk_winograd_pays(w);
}

static uint64_t workspace(const bk_call *call) {
  bk_conv_forward conv = make_forward(call);
  uint64_t bias = (uint64_t)bk_bias_bytes(bk_input(call, 2));
  bk_winograd w = make_winograd(call, &conv);
  if (!uses_winograd(&conv, &w)) return bias + bk_conv2d_im2col_scratch(&conv, call->workers);
  return bias + bk_winograd_scratch(&w, call->workers);
}

static void run(const bk_call *call) {
  bk_conv_forward conv = make_forward(call);
  const bk_tensor *bias = bk_input(call, 2);
  if (bias) conv.epilogue.bias = bk_widened(bias->data, bias->dtype, call->workspace, bias->dims[0]);
  void *scratch = (char *)call->workspace + bk_bias_bytes(bias);
  bk_winograd w = make_winograd(call, &conv);
  if (uses_winograd(&conv, &w)) {
    bk_winograd_run(&w, call, scratch);
  } else {
    bk_conv2d_im2col_run(&conv, call, scratch);
  }
}

static bk_copy_offer copy(const bk_call *call) {
  bk_conv_forward conv = make_forward(call);
  bk_copy_offer offer = {0};
  if (bk_input(call, 1)->role != ESP_ROLE_WEIGHT) return offer;
  bk_winograd w = make_winograd(call, &conv);
  if (uses_winograd(&conv, &w)) {
    offer = bk_winograd_copy(&w, call->workers);
  } else if (bk_is_pointwise(&conv.shape)) {
    bk_product p = bk_pointwise_forward(&conv);
    offer = bk_product_copy(&p, call->workers);
  }
  offer.operand = 1;
  return offer;
}

static void make_copy(const bk_call *call, void *target) {
  bk_conv_forward conv = make_forward(call);
  bk_winograd w = make_winograd(call, &conv);
  if (uses_winograd(&conv, &w)) {
    bk_winograd_keep(&w, call, target);
  } else {
    bk_product p = bk_pointwise_forward(&conv);
    bk_product_pack(&p, call, target);
  }
}

const bk_kernel bk_conv2d = {ESP_OP_CONV2D, 1 << 4, check, workspace, run, copy, make_copy};
