import CGlslang
import EspalierABI
package import EspalierPluginKit
import Synchronization

/// Compiles GLSL to SPIR-V with glslang.
package enum ShaderCompiler {
  /// True once glslang's tables are set up; also keeps compilations apart.
  private static let isReady = Mutex(false)

  /// The compiler and what it compiles for; part of the cache's key.
  package static var identity: String {
    "glslang \(GLSLANG_VERSION_MAJOR).\(GLSLANG_VERSION_MINOR).\(GLSLANG_VERSION_PATCH), vulkan1.2"
  }

  /// The SPIR-V words of a complete compute shader.
  ///
  /// - Throws: `ESP_INTERNAL` with the compiler's messages.
  package static func compile(_ source: String, name: String) throws(PluginError) -> [UInt32] {
    try isReady.withLock { (isReady) throws(PluginError) -> [UInt32] in
      if !isReady {
        guard glslang_initialize_process() != 0 else {
          throw PluginError(ESP_INTERNAL, "vulkan: the shader compiler could not be started")
        }
        isReady = true
      }
      let result = source.withCString { code in
        Result { () throws(PluginError) in try compile(code: code, name: name) }
      }
      return try result.get()
    }
  }

  private static func compile(
    code: UnsafePointer<CChar>, name: String
  ) throws(PluginError) -> [UInt32] {
    var input = glslang_input_t()
    input.language = GLSLANG_SOURCE_GLSL
    input.stage = GLSLANG_STAGE_COMPUTE
    input.client = GLSLANG_CLIENT_VULKAN
    input.client_version = GLSLANG_TARGET_VULKAN_1_2
    input.target_language = GLSLANG_TARGET_SPV
    input.target_language_version = GLSLANG_TARGET_SPV_1_5
    input.code = code
    input.default_version = 460
    input.default_profile = GLSLANG_CORE_PROFILE
    input.messages = glslang_messages_t(
      GLSLANG_MSG_SPV_RULES_BIT.rawValue | GLSLANG_MSG_VULKAN_RULES_BIT.rawValue)
    input.resource = glslang_default_resource()
    guard let shader = glslang_shader_create(&input) else {
      throw PluginError(ESP_INTERNAL, "vulkan: the shader compiler could not take \(name)")
    }
    defer { glslang_shader_delete(shader) }
    guard glslang_shader_preprocess(shader, &input) != 0, glslang_shader_parse(shader, &input) != 0
    else { throw refusal(name, glslang_shader_get_info_log(shader)) }
    let program = glslang_program_create()
    defer { glslang_program_delete(program) }
    glslang_program_add_shader(program, shader)
    guard glslang_program_link(program, Int32(input.messages.rawValue)) != 0 else {
      throw refusal(name, glslang_program_get_info_log(program))
    }
    glslang_program_SPIRV_generate(program, GLSLANG_STAGE_COMPUTE)
    let count = glslang_program_SPIRV_get_size(program)
    guard count > 0, let words = glslang_program_SPIRV_get_ptr(program) else {
      throw refusal(name, glslang_program_SPIRV_get_messages(program))
    }
    return Array(UnsafeBufferPointer(start: words, count: count))
  }

  private static func refusal(_ name: String, _ log: UnsafePointer<CChar>?) -> PluginError {
    let reason = log.map { String(cString: $0) } ?? "no reason given"
    return PluginError(ESP_INTERNAL, "vulkan: shader \(name) does not compile: \(reason)")
  }
}
