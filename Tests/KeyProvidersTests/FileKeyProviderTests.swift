import Foundation
import KeyProviders
import SealedLog
import Tenancy
import Testing

private let name = KeyName(tenant: TenantID(1), purpose: .content)

private struct Folder: ~Copyable {
  let path = NSTemporaryDirectory() + "/filekeys-\(UUID().uuidString)"
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

private func root(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

@Test func keysOutliveTheProcess() throws {
  let folder = Folder()
  let first = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  try first.create(name)
  let wrapped = try first.wrap([5, 6], under: name, authenticating: [])
  let second = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  #expect(try second.unwrap(wrapped, under: name, authenticating: []) == [5, 6])
  #expect(try second.installationKey() == first.installationKey())
}

@Test func anotherRootKeyOpensNothing() throws {
  let folder = Folder()
  _ = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  #expect(throws: KeyProviderError(.notAuthentic, "installation.key")) {
    try FileKeyProvider(folder: folder.path, rootKey: root(2))
  }
  #expect(throws: KeyProviderError(.wrongLength, "root key")) {
    try FileKeyProvider(folder: folder.path, rootKey: [1, 2])
  }
}

@Test func filesAreForTheOwnerOnlyAndHoldNoBareKey() throws {
  let folder = Folder()
  let provider = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  try provider.create(name)
  let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  #expect(names == ["\(name).1.key", "installation.key"].sorted())
  for file in names {
    let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(file)")
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    #expect((attributes[.size] as? NSNumber)?.intValue == 8 + 12 + 32 + 16)
  }
}

@Test func aKeyFileUnderAnotherNameOpensNothing() throws {
  let folder = Folder()
  let provider = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  try provider.create(name)
  let other = KeyName(tenant: TenantID(2), purpose: .content)
  try FileManager.default.copyItem(
    atPath: "\(folder.path)/\(name).1.key", toPath: "\(folder.path)/\(other).1.key")
  #expect(throws: KeyProviderError(.notAuthentic, "\(other).1.key")) {
    try provider.wrap([1], under: other, authenticating: [])
  }
}

@Test func destroyedKeysLeaveNoBytes() throws {
  let folder = Folder()
  let provider = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  try provider.create(name)
  let path = "\(folder.path)/\(name).1.key"
  let link = "\(folder.path)/copy"
  try FileManager.default.linkItem(atPath: path, toPath: link)
  try provider.destroy(name, versions: [1])
  #expect(!FileManager.default.fileExists(atPath: path))
  let left = try #require(FileManager.default.contents(atPath: link))
  #expect(left.allSatisfy { $0 == 0 })
}

@Test func aFolderThatLostItsSigningKeyGetsNoNewOne() throws {
  let folder = Folder()
  let first = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  try first.create(name)
  let signing = "\(folder.path)/installation.key"
  let kept = try #require(FileManager.default.contents(atPath: signing))
  try FileManager.default.removeItem(atPath: signing)
  #expect(throws: KeyProviderError(.notFound, "installation.key")) {
    try FileKeyProvider(folder: folder.path, rootKey: root(1))
  }
  #expect(!FileManager.default.fileExists(atPath: signing))
  // The marks of destroyed keys speak for an old folder, too
  try first.destroy(name, versions: [1])
  #expect(throws: KeyProviderError(.notFound, "installation.key")) {
    try FileKeyProvider(folder: folder.path, rootKey: root(1))
  }
  // Put back, it opens what it was
  try kept.write(to: URL(filePath: signing))
  #expect(try FileKeyProvider(folder: folder.path, rootKey: root(1)).installationKey() == first.installationKey())
}

@Test func aFolderWithOtherFilesOnlyIsBegun() throws {
  let folder = Folder()
  try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
  for file in ["installation.key.new", "README", "lost+found"] {
    try Data([1]).write(to: URL(filePath: "\(folder.path)/\(file)"))
  }
  #expect(try FileKeyProvider(folder: folder.path, rootKey: root(1)).installationKey().count == 32)
}

/// Of a hot restart, say: nothing is told, the files say it.
@Test func versionsThatAnotherProcessMakesAndDestroysAreKnown() throws {
  let folder = Folder()
  let first = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  try first.create(name)
  let second = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  #expect(try second.rotate(name) == 2)
  #expect(try first.wrap([1], under: name, authenticating: []).version == 2)
  try second.destroy(name, versions: [1, 2])
  #expect(try first.versions(of: name).isEmpty)
  #expect(throws: KeyProviderError(.notFound, name.description)) {
    try first.wrap([1], under: name, authenticating: [])
  }
  #expect(throws: KeyProviderError(.exists, name.description)) { try first.create(name) }
}

/// A number is never given twice, also where the files of older ones are lost.
@Test func aLostVersionDoesNotHideTheNewerOnes() throws {
  let folder = Folder()
  do {
    let provider = try FileKeyProvider(folder: folder.path, rootKey: root(1))
    try provider.create(name)
    #expect(try provider.rotate(name) == 2)
    #expect(try provider.rotate(name) == 3)
  }
  try FileManager.default.removeItem(atPath: "\(folder.path)/\(name).1.key")
  try FileManager.default.removeItem(atPath: "\(folder.path)/\(name).2.key")
  let provider = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  #expect(try provider.versions(of: name) == [3])
  #expect(try provider.rotate(name) == 4)
}

/// Numbers that no installation reaches cost nothing.
@Test func aFileWithAnAbsurdNumberIsTakenAsItIs() throws {
  let folder = Folder()
  do { try FileKeyProvider(folder: folder.path, rootKey: root(1)).create(name) }
  for file in ["\(name).4294967295.gone", "\(name).x.key", "\(name).key", ".key", ".1.key"] {
    #expect(FileManager.default.createFile(atPath: "\(folder.path)/\(file)", contents: nil))
  }
  let provider = try FileKeyProvider(folder: folder.path, rootKey: root(1))
  #expect(try provider.versions(of: name) == [1])
  #expect(throws: KeyProviderError(.notFound, name.description)) { try provider.rotate(name) }
  #expect(try provider.wrap([1], under: name, authenticating: []).version == 1)
}
