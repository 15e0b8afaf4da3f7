import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dateTimeText, type TimeParts, TimeZone } from "../../src/codec/mod.ts";

const parts = (text: string): TimeParts => {
  const [year, month, day, hour, minute, second] = text.split(/[- :]/).map(Number) as [number, ...number[]];
  return { year, month: month!, day: day!, hour: hour!, minute: minute!, second: second!, micro: 0 };
};
const utc = (zone: string, text: string): string | undefined => {
  const moment = TimeZone.find(zone)!.toUtcSeconds(parts(text));
  return moment === undefined ? undefined : dateTimeText(TimeZone.utc.toLocal(moment, 0), 0);
};

describe("time zones", () => {
  test("of two moments the one that Go's time.Date takes: west the first, east the second", () => {
    assert.equal(utc("America/New_York", "2024-11-03 01:30:00"), "2024-11-03 05:30:00");
    assert.equal(utc("America/Sao_Paulo", "2018-02-17 23:30:00"), "2018-02-18 01:30:00");
    assert.equal(utc("Asia/Shanghai", "1991-09-15 01:30:00"), "1991-09-14 17:30:00");
    assert.equal(utc("Australia/Lord_Howe", "2024-04-07 01:45:00"), "2024-04-06 15:15:00");
    assert.equal(utc("Europe/London", "2024-10-27 01:30:00"), "2024-10-27 01:30:00");
  });

  test("readings that the clock skips have no moment", () => {
    assert.equal(utc("Europe/Berlin", "2021-03-28 02:00:00"), undefined);
    assert.equal(utc("Europe/Berlin", "2021-03-28 02:59:59"), undefined);
    assert.equal(utc("Europe/Berlin", "2021-03-28 03:00:00"), "2021-03-28 01:00:00");
    assert.equal(utc("Europe/Berlin", "2021-03-28 01:59:59"), "2021-03-28 00:59:59");
    assert.equal(utc("Pacific/Apia", "2011-12-30 12:00:00"), undefined);
    assert.equal(utc("America/Sao_Paulo", "2018-11-04 00:30:00"), undefined);
    const gap = TimeZone.find("Europe/Berlin")!.afterGap(parts("2021-03-28 02:30:00"));
    assert.equal(gap, Date.UTC(2021, 2, 28, 1) / 1000);
    const day = TimeZone.find("Pacific/Apia")!.afterGap(parts("2011-12-30 12:00:00"));
    assert.equal(day, Date.UTC(2011, 11, 30, 10) / 1000);
  });

  test("any year, offsets with seconds", () => {
    const local = (zone: string, year: number): string =>
      dateTimeText(TimeZone.find(zone)!.toLocal(Date.UTC(2000, 6, 1) / 1000 + (year - 2000) * 31556952, 0), 0).slice(
        11,
      );
    assert.equal(TimeZone.find("America/New_York")!.offsetAt(-62135596800), -17762);
    assert.equal(TimeZone.find("America/New_York")!.offsetAt(Date.UTC(2300, 6, 1) / 1000), -14400);
    assert.equal(TimeZone.find("America/New_York")!.offsetAt(Date.UTC(2300, 0, 1) / 1000), -18000);
    assert.equal(local("Asia/Shanghai", 2000), "08:00:00");
  });

  test("each moment of a year goes there and back, but for the hour that comes twice", () => {
    for (const name of [
      "Europe/Berlin",
      "America/New_York",
      "Australia/Lord_Howe",
      "Africa/Casablanca",
      "Asia/Kathmandu",
    ]) {
      const zone = TimeZone.find(name)!;
      let off = 0;
      for (let moment = Date.UTC(2023, 11, 1) / 1000; moment < Date.UTC(2025, 1, 1) / 1000; moment += 1787) {
        const back = zone.toUnix(moment + zone.offsetAt(moment));
        if (back !== moment) off++;
        assert.ok(Math.abs(back - moment) <= 3600, `${name} ${moment}`);
      }
      assert.ok(off <= 5, `${name}: ${off} moments changed`);
    }
  });

  test("names", () => {
    for (const name of ["+05:30", "-12:59", "UTC", "Asia/Tokyo", "+14:00"]) assert.ok(TimeZone.find(name), name);
    for (const name of ["+05:60", "+15:00", "-14:00", "SYSTEM", "Mars/Olympus", ""]) {
      assert.equal(TimeZone.find(name), undefined, name);
    }
    assert.equal(TimeZone.find("-12:30")!.offsetAt(0), -45000);
  });
});
