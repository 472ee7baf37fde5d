/* CONV2D_DX. */
#include "conv2d_im2col.h"
#include "kernel_list_matmul.h"
#include "winograd.h"

static bk_conv_backward make_backward(const bk_call *call) {
  static const float present = 0;
  const bk_tensor *dy = bk_input(call, 0), *w = bk_input(call, 1), *residual = bk_input(call, 2);
  const bk_tensor *dx = bk_output(call, 0);
  bk_conv_backward conv = {bk_convolution_of(call, dx, w, dy), dy->data, w->data, w->dtype, call->copy, dx->data, 0};
  if (residual) conv.residual = residual->data ? residual->data : &present;
  return conv;
}

/* A convolution of the cotangent, padded by what the kernel's window leaves of the forward padding. */
static bk_winograd make_winograd(const bk_conv_backward *conv) {
  const bk_convolution *c = &conv->shape;
  bk_epilogue epilogue = {.residual = conv->residual, .columns = c->channels};
  bk_winograd w = {&bk_winograd_4, c->batch,    c->out_height, c->out_width, c->out_channels, c->height, c->width,
                   c->channels, 2 - c->top,    2 - c->left,  conv->dy,        conv->w,   conv->w_dtype,
                   1,           conv->dx,      epilogue,     conv->copy};
  return w;
}

static int uses_winograd(const bk_conv_backward *conv, const bk_winograd *w) {
  return bk_is_3x3(&conv->shape) && bk_winograd_pays(w);
}

static const char *check(const bk_call *call) {
  const bk_tensor *dx = bk_output(call, 0), *residual = bk_input(call, 2);
  const char *reason = bk_convolution_check(call, dx, bk_input(call, 1), bk_input(call, 0));
  if (reason) return reason;
  if (residual && (!bk_is_f32(residual) || !bk_same_shape(residual, dx)))
    return "the residual must be f32, shaped as the output";
  return 0;
}

static uint64_t workspace(const bk_call *call) {
  bk_conv_backward conv = make_backward(call);
  bk_winograd w = make_winograd(&conv);
  if (!uses_winograd(&conv, &w)) return bk_conv2d_dx_im2col_scratch(&conv, call->workers);
  return bk_winograd_scratch(&w, call->workers);
}

static void run(const bk_call *call) {
  bk_conv_backward conv = make_backward(call);
  bk_winograd w = make_winograd(&conv);
  if (uses_winograd(&conv, &w)) {
    bk_winograd_run(&w, call, call->workspace);
  } else {
    bk_conv2d_dx_im2col_run(&conv, call, call->workspace);
  }
}

static bk_copy_offer copy(const bk_call *call) {
  bk_conv_backward conv = make_backward(call);
  bk_copy_offer offer = {0};
  if (bk_input(call, 1)->role != ESP_ROLE_WEIGHT) return offer;
  bk_winograd w = make_winograd(&conv);
  if (uses_winograd(&conv, &w)) {
    offer = bk_winograd_copy(&w, call->workers);
  } else if (bk_is_pointwise(&conv.shape)) {
    bk_product p = bk_pointwise_backward(&conv);
    offer = bk_product_copy(&p, call->workers);
  }
  offer.operand = 1;
  return offer;
}

static void make_copy(const bk_call *call, void *target) {
  bk_conv_backward conv = make_backward(call);
  bk_winograd w = make_winograd(&conv);
  if (uses_winograd(&conv, &w)) {
    bk_winograd_keep(&w, call, target);
  } else {
    bk_product p = bk_pointwise_backward(&conv);
    bk_product_pack(&p, call, target);
  }
}

const bk_kernel bk_conv2d_dx = {ESP_OP_CONV2D_DX, 1 << 2, check, workspace, run, copy, make_copy};
