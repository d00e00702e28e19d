import Testing

@testable import Installation

@Suite struct AvailableCoresTests {
  @Test(arguments: [
    (nil, 4), ("max 100000\n", 4), ("200000 100000\n", 2), ("150000 100000\n", 2), ("50000 100000\n", 1),
    ("900000 100000\n", 4),
  ])
  func aControlGroupMayLeaveFewerCoresThanThereAre(_ quota: String?, _ cores: Int) {
    #expect(AvailableCores.count(active: 4, quota: quota) == cores)
  }

  @Test(arguments: ["", "max", "-1 100000", "100000 0", "100000", "1 2 3", "9999999999999999999999 1"])
  func whatIsNoQuotaLeavesAllCores(_ quota: String) {
    #expect(AvailableCores.count(active: 4, quota: quota) == 4)
  }

  @Test func thereIsAlwaysOne() {
    #expect(AvailableCores.count(active: 0, quota: nil) == 1)
    #expect(AvailableCores.count(active: 8, quota: "1 100000") == 1)
  }

  @Test func theGroupIsThatOfVersion2() {
    #expect(AvailableCores.group("0::/system.slice/torhaus.service\n") == "/system.slice/torhaus.service")
    #expect(AvailableCores.group("4:memory:/x\n0::/\n") == "/")
    #expect(AvailableCores.group("4:memory:/x\n") == nil)
    #expect(AvailableCores.group("") == nil)
  }

  @Test func thisMachineHasSome() { #expect(AvailableCores.count >= 1) }
}
