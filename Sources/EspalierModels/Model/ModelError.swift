/// What can be wrong with the choice of models.
public enum ModelError: Error, Equatable, CustomStringConvertible {
  /// A `config.json` names a model that nobody registered.
  case unknownClass(path: String, found: String?, known: [String])
  /// A model of another kind stands where this role is needed.
  case wrongRole(path: String, found: String, role: String)
  /// Adapters whose features cannot be summed: their configurations differ in this key.
  case incompatibleAdapters(key: String, values: [String])

  public var description: String {
    switch self {
    case .unknownClass(let path, let found, let known):
      """
      this model is not known
        file      \(path)
        key       _class_name or architectures
        expected  one of \(known.joined(separator: ", "))
        found     \(found ?? "nothing")
        hint      is this the folder of one component, such as unet or vae?
      """
    case .wrongRole(let path, let found, let role):
      """
      this model cannot be used here
        file      \(path)
        expected  \(role)
        found     \(found)
        hint      is this the folder of another component?
      """
    case .incompatibleAdapters(let key, let values):
      """
      these adapters cannot be combined
        key       \(key)
        expected  the same value in all of them
        found     \(values.joined(separator: ", "))
      """
    }
  }
}
