/** `string.format` of LuaJIT: its flags, and its rounding. A part of strings.ts. */
export const formatsPart = String.raw`
local signedKinds, unsignedKinds = { d = true, i = true }, { u = true, x = true, X = true, o = true }
local floatKinds = { e = true, E = true, f = true, F = true, g = true, G = true, a = true, A = true }

local function number(v, n) return kit.double(v, n, "format") end

local function padded(text, flags, width)
  local padding = lib.rep(" ", width - #text)
  return cfind(flags, "-", 1, true) and text .. padding or padding .. text
end

-- The digits of 64 bits without a sign.
local function unsignedText(v, kind)
  if kind ~= "u" or v >= 0 then return cformat("%" .. (kind == "u" and "d" or kind), v) end
  local tenth = (v >> 1) // 5
  return cformat("%d%d", tenth, v - tenth * 10)
end

local function integer(flags, width, precision, kind, v)
  local sign, digits = "", nil
  if signedKinds[kind] then
    v = kit.long(v, 1, "format")
    digits = real.string.gsub(cformat("%d", v), "^-", "")
    if v < 0 then sign = "-"
    elseif cfind(flags, "+", 1, true) then sign = "+"
    elseif cfind(flags, " ", 1, true) then sign = " " end
  else
    v = kit.long(v >= 9223372036854775808.0 and v - 18446744073709551616.0 or v, 1, "format")
    digits = unsignedText(v, kind)
    if cfind(flags, "#", 1, true) and v ~= 0 then
      if kind == "x" or kind == "X" then sign = "0" .. kind
      elseif kind == "o" and #digits >= (precision or 0) then digits = "0" .. digits end
    end
  end
  if precision == 0 and v == 0 then digits = "" end
  local zeros = (precision or 0) - #digits
  if not precision and cfind(flags, "0", 1, true) and not cfind(flags, "-", 1, true) then
    zeros = width - #sign - #digits
  end
  return padded(sign .. lib.rep("0", zeros) .. digits, flags, width)
end

-- How many digits of a number are written.
local function digitsOf(v, precision, kind)
  precision = precision or 6
  if kind == "e" then return precision + 1 end
  if kind == "g" then return precision == 0 and 1 or precision end
  return precision + 1 + real.tonumber(real.string.match(cformat("%.99e", v), "e(.*)$"))
end

local function float(flags, width, precision, kind, v)
  local lower = lib.lower(kind)
  if v ~= v then return padded(lower == kind and "nan" or "NAN", flags, width) end
  if v - v ~= 0 then
    flags = lib.gsub(flags, "0", "")
    precision = nil
  elseif lower ~= "a" and v ~= 0 then v = kit.unhalved(v, digitsOf(v, precision, lower)) end
  local once = ""
  for flag in real.string.gmatch(flags, ".") do
    if not cfind(once, flag, 1, true) then once = once .. flag end
  end
  local spec = "%" .. once .. (width > 0 and width or "") .. (precision and "." .. precision or "")
  if kind == "F" then return lib.upper(cformat(spec .. "f", v)) end
  return cformat(spec .. kind, v)
end

local function formatted(flags, width, precision, kind, v, n)
  if floatKinds[kind] then return float(flags, width, precision, kind, number(v, n)) end
  if signedKinds[kind] or unsignedKinds[kind] then return integer(flags, width, precision, kind, number(v, n)) end
  if kind == "c" then return padded(lib.char(int(v, n, "format") & 255), flags, width) end
  if kind == "q" then return cformat("%q", kit.tostring(v)) end
  v = kit.tostring(v)
  if precision then v = sub(v, 1, precision) end
  return width > #v and padded(v, flags, width) or v
end

local function knows(kind)
  return signedKinds[kind] or unsignedKinds[kind] or floatKinds[kind] or kind == "c" or kind == "q" or kind == "s"
end

-- A directive after its percent sign: a piece of the format is short, so that Lua's own matcher looks at little.
local function directive(piece)
  local flags = real.string.match(piece, "^[-+ #0]*")
  local width = real.string.match(piece, "^%d?%d?", #flags + 1)
  local at, precision = #flags + #width + 1, nil
  if byte(piece, at) == 46 then
    local digits = real.string.match(piece, "^%d?%d?", at + 1)
    precision = real.tonumber(digits) or 0
    at = at + 1 + #digits
  end
  return flags, real.tonumber(width) or 0, precision, sub(piece, at, at), at
end

function strings.format(f, ...)
  f = str(f, 1, "format")
  local args, n, out, k, at = { ... }, select("#", ...), {}, 0, 1
  while true do
    local percent = cfind(f, "%", at, true)
    if not percent then break end
    if percent > at then out[#out + 1] = sub(f, at, percent - 1) end
    if byte(f, percent + 1) == 37 then
      out[#out + 1] = "%"
      at = percent + 2
    else
      local flags, width, precision, kind, length = directive(sub(f, percent + 1, percent + 80))
      if not knows(kind) then fail("invalid option '" .. sub(f, percent, percent + length) .. "' to 'format'") end
      k = k + 1
      if k > n then fail("bad argument #" .. k + 1 .. " to 'format' (no value)") end
      out[#out + 1] = formatted(flags, width, precision, kind, args[k], k + 1)
      at = percent + length + 1
    end
  end
  if at <= #f then out[#out + 1] = sub(f, at) end
  return real.table.concat(out)
end
`;
