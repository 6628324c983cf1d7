/** The table `os` of Kong's sandbox, with the C library's `strftime` that Kong runs on (glibc). A part of world.ts. */
export const clockPart = String.raw`
local cdate, ctime = real.os.date, real.os.time
local plainDirectives = "[aAbBCdDeFgGHIjmMnprRStTuUVwWxXyYzZ%%]"
local rewritten = { c = "%a %b %e %H:%M:%S %Y", h = "%b", P = "%p", k = "%H", l = "%I", v = "%e-%b-%Y" }

local function directive(prefix, flag, width, kind, time)
  if kind == "s" then return kit.numberText(time) end
  local text
  if rewritten[kind] then text = cdate(prefix .. rewritten[kind], time)
  elseif real.string.find(kind, plainDirectives) then text = cdate(prefix .. "%" .. kind, time)
  else return nil end
  if kind == "P" then text = real.string.lower(text) end
  if kind == "k" or kind == "l" then text = real.string.gsub(text, "^0", " ") end
  if flag == "^" then text = real.string.upper(text)
  elseif flag == "-" then text = real.string.gsub(text, "^[0 ]+(%d)", "%1")
  elseif flag == "_" then
    text = real.string.gsub(text, "^(0+)(%d)", function(zeros, digit) return real.string.rep(" ", #zeros) .. digit end)
  elseif flag == "0" then
    text = real.string.gsub(text, "^( +)(%d)", function(s, digit) return real.string.rep("0", #s) .. digit end)
  end
  local missing = (real.tonumber(width) or 0) - #text
  local isText = real.string.find(text, "^%D") and flag ~= "0"
  return real.string.rep((isText or flag == "_") and " " or "0", missing) .. text
end

local function date(format, time)
  format = format == nil and "%c" or kit.str(format, 1, "date")
  if #format > 1000 then kit.fail("bad argument #1 to 'date' (format too long)") end
  if time == nil then time = ctime() else time = kit.long(time, 2, "date") end
  local prefix, text = real.string.match(format, "^(!?)(.*)$")
  -- Beyond the year 2^31 C has no date.
  if time > 67767976233532799 or time < -67768040609740800 then return nil end
  if real.string.sub(text, 1, 2) == "*t" then
    local t = cdate(prefix .. "*t", time)
    for k, v in real.next, t do if type(v) == "number" then t[k] = v + 0.0 end end
    return t
  end
  return (real.string.gsub(text, "%%([_%-0^]?)(%d?%d?)([EO]?)(.)", function(flag, width, _, kind)
    return directive(prefix, flag, width, kind, time)
  end))
end

local function field(t, name, default)
  local v = t[name]
  if type(v) == "string" then v = kit.tonumber(v) end
  if type(v) == "number" then return kit.int(v, 1, "time") end
  if default == nil then kit.fail("field '" .. name .. "' missing in date table") end
  return default
end

local function time(t)
  if t == nil then return ctime() + 0.0 end
  if type(t) ~= "table" then kit.bad(1, "time", "table", t) end
  local clean = { sec = field(t, "sec", 0), min = field(t, "min", 0), hour = field(t, "hour", 12) }
  clean.day, clean.month, clean.year = field(t, "day"), field(t, "month"), field(t, "year")
  if t.isdst ~= nil then clean.isdst = not not t.isdst end
  local ok, seconds = real.pcall(ctime, clean)
  return ok and seconds + 0.0 or nil
end

local function difftime(a, b)
  return kit.long(a, 1, "difftime") + 0.0 - (b == nil and 0 or kit.long(b, 2, "difftime"))
end

local clock = { clock = real.os.clock, date = date, difftime = difftime, time = time }
`;
