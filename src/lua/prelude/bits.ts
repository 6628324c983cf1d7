/** LuaJIT's `bit`: signed numbers of 32 bits. */
export const bitsPart = String.raw`
local bit = {}
-- Halves are rounded to the even integer. What is beyond 2^51 are the low bits of its sum with 2^52 + 2^51, as in LuaJIT.
local function toBit(v, n, name)
  v = double(v, n, name)
  if not (v > -2251799813685248.0 and v < 2251799813685248.0) then
    return (real.string.unpack("<i4", real.string.pack("<d", v + 6755399441055744.0)))
  end
  local whole = floor(v) + 0.0
  local rest = v - whole
  if rest > 0.5 or (rest == 0.5 and whole % 2 == 1) then whole = whole + 1 end
  whole = tointeger(whole % 4294967296.0)
  return whole >= 0x80000000 and whole - 0x100000000 or whole
end
local function signed(v)
  v = v & 0xffffffff
  return (v >= 0x80000000 and v - 0x100000000 or v) + 0.0
end
local function fold(name, op)
  bit[name] = function(v, ...)
    v = toBit(v, 1, name)
    for i = 1, real.select("#", ...) do v = op(v, toBit((real.select(i, ...)), i + 1, name)) end
    return v + 0.0
  end
end
fold("band", function(a, b) return a & b end)
fold("bor", function(a, b) return a | b end)
fold("bxor", function(a, b) return a ~ b end)
local function shift(name, op)
  bit[name] = function(v, n)
    v = toBit(v, 1, name)
    return signed(op(v, v & 0xffffffff, toBit(n, 2, name) & 31))
  end
end
shift("lshift", function(_, u, n) return u << n end)
shift("rshift", function(_, u, n) return u >> n end)
shift("arshift", function(v, _, n) return v // (1 << n) end)
shift("rol", function(_, u, n) return u << n | u >> (32 - n) end)
shift("ror", function(_, u, n) return u >> n | u << (32 - n) end)
function bit.tobit(v) return toBit(v, 1, "tobit") + 0.0 end
function bit.bnot(v) return ~toBit(v, 1, "bnot") + 0.0 end
function bit.bswap(v)
  v = toBit(v, 1, "bswap") & 0xffffffff
  return signed((v & 0xff) << 24 | (v & 0xff00) << 8 | v >> 8 & 0xff00 | v >> 24)
end
function bit.tohex(v, n)
  v, n = toBit(v, 1, "tohex") & 0xffffffff, n == nil and 8 or toBit(n, 2, "tohex")
  local digits = real.math.min(real.math.abs(n), 254)
  local text = cformat(n < 0 and "%08X" or "%08x", v)
  if digits <= 8 then return real.string.sub(text, 9 - digits) end
  return real.string.rep("0", digits - 8) .. text
end
kit.bit = bit
`;
