import EspalierBenchKit
import Testing

/// Lines as `test-backend-ops perf` printed them on several machines and in several versions.
private let output = """
  ggml_vulkan: Found 1 Vulkan devices:
  Testing 2 devices

  Backend 1/2: Vulkan0
    Device description: AMD Radeon PRO W7800
    Device memory: 32496 MB (32496 MB free)

    MUL_MAT(type_a=f32,type_b=f32,m=4096,n=1,k=14336,bs=[1,1],nr=[1,1],per=[0,1,2,3]):                     852 runs - 16368.05 us/run - 117.44 MFLOP/run - \u{1B}[1;34m  7.17 GFLOPS\u{1B}[0m
    MUL_MAT(type_a=bf16,type_b=f32,m=4096,n=1,k=14336,bs=[1,1],nr=[1,1],per=[0,1,2,3]): not supported
    MUL_MAT(type_a=f32,type_b=f32,m=4096,n=512,k=14336,bs=[1,1],nr=[1,1],per=[0,1,2,3],k_v=0,o=1):          90 runs - 11222.01 us/run -  60.13 GFLOP/run - \u{1B}[1;34m  5.36 TFLOPS\u{1B}[0m
    MUL_MAT(type_a=q4_0,type_b=f32,m=1280,n=1024,k=1280,bs=[1,1],nr=[1,1],per=[0,1,2,3]):                20448 runs -    49.62 us/run - 117.44 MFLOP/run -   2.37 TFLOPS
    MUL_MAT(type_a=f16,type_b=f32,m=16,n=1,k=32,bs=[2,3],nr=[1,1],per=[0,1,2,3]):                20448 runs -    49.62 us/run - 700.44 kFLOP/run - 360.73 MFLOPS
    CONV_2D(ne_input=[19,19,256,16],ne_kernel=[4,4,256,4096],type_kernel=f32,stride0=1,stride1=1,padding0=0,padding1=0,dilation0=1,dilation1=1,cwhn=0):                     31 runs - 33125.48 us/run - 137.42 GFLOP/run -   4.15 TFLOPS
    CONV_2D(ne_input=[224,224,3,1],ne_kernel=[3,3,3,8],type_kernel=f16,stride0=2,stride1=2,padding0=1,padding1=1,dilation0=1,dilation1=1,cwhn=0):                14358 runs -    72.24 us/run -  20.90 MFLOP/run - 289.27 GFLOPS
    FLASH_ATTN_EXT(hsk=64,hsv=64,nh=8,nr23=[8,1],kv=7680,nb=4,mask=1,sinks=0,max_bias=0.000000,logit_softcap=0.000000,prec=f32,type_KV=f16,permute=[0,1,2,3]):                    1592 runs -   673.13 us/run - 503.32 MFLOP/run - 747.72 GFLOPS
    FLASH_ATTN_EXT(hs=128,nh=8,nr=4,kv=4096,nb=1,mask=1,max_bias=0.000000,logit_softcap=0.000000,prec=f32,type_KV=f16,permute=[0,1,2,3]):                 17892 runs -    57.68 us/run -  67.11 MFLOP/run -   1.16 TFLOPS
    ADD(type=f32,ne=[4096,1,1,1],nr=[1,1,1,1],nf=1):               131072 runs -     7.81 us/run -       48 kB/run -    5.86 GB/s
    Backend Vulkan0: \u{1B}[1;32mOK\u{1B}[0m

  Backend 2/2: CPU
    Device description: AMD Ryzen 7 PRO 8845HS w/ Radeon 780M Graphics
    MUL_MAT(type_a=f32,type_b=f32,m=1280,n=1024,k=1280,bs=[1,1],nr=[1,1],per=[0,1,2,3]):             100 runs -   100.00 us/run -   3.36 GFLOP/run - 123.00 GFLOPS
    Skipping CPU backend
  2/2 backends passed
  """

/// Lines of llvmpipe, where a case takes a minute.
private let slowOutput = """
  Backend 1/2: Vulkan0
    Device description: llvmpipe (LLVM 15.0.6, 256 bits)
    MUL_MAT(type_a=f16,type_b=f32,m=4096,n=512,k=14336,bs=[1,1],nr=[1,1],per=[0,1,2,3],k_v=0,o=1,src_overlap=0,m_v=0,pad=0):                 2 runs - 12897819.50 us/run -  60.13 GFLOP/run - \u{1B}[1;34m  4.66 GFLOPS\u{1B}[0m
    CONV_2D(ne_input=[58,58,32,1],ne_kernel=[3,3,32,64],type_kernel=f32,stride0=1,stride1=1,padding0=0,padding1=0,dilation0=1,dilation1=1,cwhn=0,kernel_offset=0):                 867 runs - 62889.50 us/run - 115.40 MFLOP/run - \u{1B}[1;34m  1.84 GFLOPS\u{1B}[0m
    FLASH_ATTN_EXT(hsk=64,hsv=64,nh=8,nr23=[1,1],kv=4096,nb=4096,mask=1,sinks=0,max_bias=0.000000,logit_softcap=0.000000,prec=f32,type_K=f16,type_V=f16,permute=[0,1,2,3],kv_view=1,v_is_view_of_k=0,n_kv_max=0):                    3 runs - 27530776.33 us/run -  34.36 GFLOP/run - \u{1B}[1;34m  1.25 GFLOPS\u{1B}[0m
  """

@Suite("GGMLTiming") struct GGMLTimingTests {
  private let timings = GGMLTiming.all(in: output, backend: "vulkan")

  @Test func `every supported operation with a count of operations is a timing, in all units`() {
    #expect(
      timings.map(\.operation) == [
        "MUL_MAT", "MUL_MAT", "MUL_MAT", "MUL_MAT", "CONV_2D", "CONV_2D", "FLASH_ATTN_EXT",
        "FLASH_ATTN_EXT",
      ])
    let expected = [7.17, 5360, 2370, 0.36073, 4150, 289.27, 747.72, 1160]
    #expect(zip(timings, expected).allSatisfy { abs($0.gigaflops - $1) < 1e-9 * $1 })
  }

  @Test func `lines of other backends are left out`() {
    #expect(GGMLTiming.all(in: output, backend: "CPU").map(\.gigaflops) == [123])
    #expect(GGMLTiming.all(in: output, backend: "CUDA").isEmpty)
  }

  @Test func `lists stay whole among the parameters`() {
    let parameters = timings[5].parameters
    #expect(parameters["ne_input"] == "[224,224,3,1]" && parameters["cwhn"] == "0")
    #expect(parameters.count == 10)
  }

  @Test(arguments: [
    "", "MUL_MAT", "MUL_MAT(m=1): not supported", "MUL_MAT(m=1): 1 runs - x us/run - y FLOPS",
    "  Backend Vulkan0: OK", "MUL_MAT(m=1): 1 runs - 2 us/run - 3 GFLOP/run - 1.2.3 GFLOPS",
  ])
  func `any other line is none`(line: String) { #expect(GGMLTiming(line: line) == nil) }

  @Test func `sizes follow from each operation's parameters, old and new`() {
    #expect(
      timings.map { GGMLSizes($0) } == [
        .product(rows: 1, columns: 4096, depth: 14336),
        .product(rows: 512, columns: 4096, depth: 14336),
        .product(rows: 1024, columns: 1280, depth: 1280),
        .product(rows: 6, columns: 16, depth: 32),
        .convolution(pixels: 16 * 16 * 16, filters: 4096, channels: 256, kernel: 4),
        .convolution(pixels: 112 * 112, filters: 8, channels: 3, kernel: 3),
        .attention(queries: 4, keys: 7680, heads: 64, width: 64),
        .attention(queries: 1, keys: 4096, heads: 32, width: 128),
      ])
  }

  @Test func `the nearest shape is of the same operation and never quantised`() {
    let product = GGMLSizes.product(rows: 1024, columns: 1280, depth: 1280)
    #expect(product.nearest(in: timings, storage: "f32")?.0 == timings[1])
    #expect(product.nearest(in: timings, storage: "f16")?.0 == timings[3])
    let convolution = GGMLSizes.convolution(pixels: 4096, filters: 640, channels: 640, kernel: 3)
    #expect(convolution.nearest(in: timings, storage: "f32")?.0 == timings[4])
    let attention = GGMLSizes.attention(queries: 4096, keys: 4096, heads: 10, width: 64)
    #expect(attention.nearest(in: timings, storage: "f32")?.0 == timings[6])
    #expect(attention.nearest(in: Array(timings.prefix(6)), storage: "f32") == nil)
  }

  @Test func `lines of the newest version tell sizes and speeds`() {
    let timings = GGMLTiming.all(in: slowOutput, backend: "vulkan")
    #expect(timings.map(\.gigaflops) == [4.66, 1.84, 1.25])
    #expect(
      timings.map { GGMLSizes($0) } == [
        .product(rows: 512, columns: 4096, depth: 14336),
        .convolution(pixels: 56 * 56, filters: 64, channels: 32, kernel: 3),
        .attention(queries: 4096, keys: 4096, heads: 8, width: 64),
      ])
  }

  @Test func `a slow device is asked for large cases only, and for f16 after f32`() throws {
    func matches(_ operation: GGMLSizes.Operation, _ storage: String) throws -> [[String]] {
      let lines = (output + "\n" + slowOutput).split(separator: "\n")
        .filter { $0.contains("\(operation.rawValue)(") }.map(String.init)
      return try operation.filters(storage: storage, isSlow: true).map { filter in
        let expression = try Regex(filter)
        return lines.filter { $0.firstMatch(of: expression) != nil }
      }
    }
    let products = try matches(.product, "f32")
    #expect(products.map(\.count) == [1, 1])
    #expect(products[0][0].contains("n=512,k=14336") && products[1][0].contains("type_a=f16"))
    #expect(try matches(.attention, "f16").map(\.count) == [1])
    let convolution =
      "CONV_2D(ne_input=[16,16,128,8],ne_kernel=[3,3,128,512],type_kernel=f16,cwhn=0)"
    let filter = try Regex(
      #require(GGMLSizes.Operation.convolution.filters(storage: "f16", isSlow: true).first))
    #expect(convolution.firstMatch(of: filter) != nil)
    #expect(convolution.replacing("cwhn=0", with: "cwhn=1").firstMatch(of: filter) == nil)
  }
}
