/* LINEAR, its data gradient and its weight gradient. */
#include "kernel_list_matmul.h"
#include "product.h"
#include "widen.h"

static const char *check_product(const bk_tensor *x, const bk_tensor *w, const bk_tensor *residual,
                                 const bk_tensor *y, int32_t in_axis) {
  if (!x || !w || !y) return "a required operand is missing";
  if (!bk_sizes_fit(x) || !bk_sizes_fit(w) || !bk_sizes_fit(y)) return "an axis is empty or too long";
  if (!bk_is_f32(x) || !bk_is_f32(y)) return "activations must be f32";
  if (!bk_is_floating(w)) return "weights must be f32, f16 or bf16";
  if (w->rank != 2) return "weights must have rank 2";
  if (bk_last(x) != w->dims[in_axis]) return "the input's last axis does not match the weights";
  if (bk_last(y) != w->dims[1 - in_axis]) return "the output's last axis does not match the weights";
  if (bk_rows(y) != bk_rows(x)) return "input and output have different numbers of rows";
  if (residual && (!bk_is_f32(residual) || !bk_same_shape(residual, y)))
    return "the residual must be f32, shaped as the output";
  return 0;
}

static bk_product linear_product(const bk_call *call, int32_t is_dx) {
  const bk_tensor *x = bk_input(call, 0), *w = bk_input(call, 1);
  const bk_tensor *residual = bk_input(call, is_dx ? 2 : 3), *y = bk_output(call, 0);
  static const float present = 0;
  bk_product p = {0};
  p.m = bk_rows(x);
  p.k = bk_last(x);
  p.n = bk_last(y);
  p.a = x->data;
  p.a_stride = p.k;
  p.b = w->data;
  p.b_dtype = w->dtype;
  p.b_transposed = !is_dx;
  p.b_stride = w->dims[1];
  p.packed = call->copy;
  p.c = y->data;
  p.epilogue.columns = p.n;
  p.epilogue.activation = is_dx ? ESP_ACT_NONE : (int32_t)call->i[0];
  if (residual) p.epilogue.residual = residual->data ? residual->data : &present;
  return p;
}

static const char *linear_check(const bk_call *call) {
  const char *reason = check_product(bk_input(call, 0), bk_input(call, 1), bk_input(call, 3), bk_output(call, 0), 1);
  if (reason) return reason;
  const bk_tensor *bias = bk_input(call, 2);
  if (bias && (bias->rank != 1 || bias->dims[0] != bk_last(bk_output(call, 0)) || !bk_is_floating(bias)))
    return "the bias must be a vector of f32, f16 or bf16, as long as the output's last axis";
  if (call->i[0] < ESP_ACT_NONE || call->i[0] > ESP_ACT_SIGMOID) return "unknown activation";
  return 0;
}

static uint64_t linear_workspace(const bk_call *call) {
  bk_product p = linear_product(call, 0);
  return (uint64_t)bk_bias_bytes(bk_input(call, 2)) + bk_product_scratch(&p, call->workers);
}

static void linear_run(const bk_call *call) {
  bk_product p = linear_product(call, 0);
  const bk_tensor *bias = bk_input(call, 2);
  if (bias) p.epilogue.bias = bk_widened(bias->data, bias->dtype, call->workspace, p.n);
  bk_product_run(&p, call, (char *)call->workspace + bk_bias_bytes(bias));
}

/* The offer for the weight, which is input 1, if it is constant. */
static bk_copy_offer product_copy(const bk_call *call, int32_t is_dx) {
  bk_product p = linear_product(call, is_dx);
  bk_copy_offer offer = bk_product_copy(&p, call->workers);
  if (bk_input(call, 1)->role != ESP_ROLE_WEIGHT) offer.bytes = 0;
  offer.operand = 1;
  return offer;
}

static bk_copy_offer linear_copy(const bk_call *call) { return product_copy(call, 0); }

static void linear_make_copy(const bk_call *call, void *target) {
  bk_product p = linear_product(call, 0);
  bk_product_pack(&p, call, target);
}

static const char *linear_dx_check(const bk_call *call) {
  return check_product(bk_input(call, 0), bk_input(call, 1), bk_input(call, 2), bk_output(call, 0), 0);
}

static uint64_t linear_dx_workspace(const bk_call *call) {
  bk_product p = linear_product(call, 1);
  return bk_product_scratch(&p, call->workers);
}

static void linear_dx_run(const bk_call *call) {
  bk_product p = linear_product(call, 1);
  bk_product_run(&p, call, call->workspace);
}

static bk_copy_offer linear_dx_copy(const bk_call *call) { return product_copy(call, 1); }

static void linear_dx_make_copy(const bk_call *call, void *target) {
  bk_product p = linear_product(call, 1);
  bk_product_pack(&p, call, target);
}

static bk_outer linear_outer(const bk_call *call) {
  const bk_tensor *dy = bk_input(call, 0), *x = bk_input(call, 1);
  bk_outer o = {bk_rows(x), bk_last(dy), bk_last(x), dy->data, x->data, bk_floats(bk_output(call, 0)), 0};
  return o;
}

static const char *linear_dw_check(const bk_call *call) {
  const bk_tensor *dy = bk_input(call, 0), *x = bk_input(call, 1), *dw = bk_output(call, 0);
  if (!dy || !x || !dw) return "a required operand is missing";
  if (!bk_sizes_fit(dy) || !bk_sizes_fit(x) || !bk_sizes_fit(dw)) return "an axis is empty or too long";
  if (!bk_is_f32(dy) || !bk_is_f32(x) || !bk_is_f32(dw)) return "activations and gradients must be f32";
  if (bk_rows(dy) != bk_rows(x)) return "input and cotangent have different numbers of rows";
  if (dw->rank != 2 || dw->dims[0] != bk_last(dy) || dw->dims[1] != bk_last(x))
    return "the weight gradient must be [outputs, inputs]";
  return 0;
}

static uint64_t linear_dw_workspace(const bk_call *call) {
  bk_outer o = linear_outer(call);
  return bk_outer_scratch(&o, call->workers);
}

static void linear_dw_run(const bk_call *call) {
  bk_outer o = linear_outer(call);
  bk_outer_run(&o, call, call->workspace);
}

const bk_kernel bk_linear = {ESP_OP_LINEAR, 1 << 3,      linear_check,    linear_workspace,
                             linear_run,    linear_copy, linear_make_copy};
const bk_kernel bk_linear_dx = {ESP_OP_LINEAR_DX, 1 << 2,         linear_dx_check,    linear_dx_workspace,
                                linear_dx_run,    linear_dx_copy, linear_dx_make_copy};
const bk_kernel bk_linear_dw = {.op = ESP_OP_LINEAR_DW, .check = linear_dw_check, .workspace = linear_dw_workspace,
                                .run = linear_dw_run};
