/** The table `math` of LuaJIT, in the terms of numbers.ts. */
export const mathsPart = String.raw`
local maths = { huge = real.math.huge, pi = real.math.pi }
for _, name in real.pairs({ "abs", "acos", "asin", "atan", "cos", "deg", "exp", "rad", "sin", "sqrt", "tan" }) do
  local f = real.math[name]
  maths[name] = function(v) return f(double(v, 1, name)) end
end
local function whole(v, f)
  if v - v ~= 0 then return v end
  return f(v) + 0.0
end
function maths.floor(v)
  v = double(v, 1, "floor")
  return v == 0 and v or whole(v, floor)
end
function maths.ceil(v)
  v = double(v, 1, "ceil")
  if v > -1 and v <= 0 then return v == 0 and v or -0.0 end
  return whole(v, ceil)
end
function maths.modf(v)
  v = double(v, 1, "modf")
  local n, rest = real.math.modf(v)
  return n * 1.0, rest == 0 and (v < 0 or 1 / v < 0) and -0.0 or rest
end
-- With a NaN the second one counts, as it does in the processor.
local function pick(name, isBetter)
  maths[name] = function(v, ...)
    v = double(v, 1, name)
    for i = 1, real.select("#", ...) do
      local other = double((real.select(i, ...)), i + 1, name)
      if not isBetter(v, other) then v = other end
    end
    return v
  end
end
pick("max", function(a, b) return a > b end)
pick("min", function(a, b) return a < b end)
function maths.fmod(a, b) return real.math.fmod(double(a, 1, "fmod"), double(b, 2, "fmod")) end
function maths.log(v, base)
  v = double(v, 1, "log")
  if base == nil then return real.math.log(v) end
  return real.math.log(v, 2) * (1 / real.math.log(double(base, 2, "log"), 2))
end
function maths.random(m, n)
  if m == nil then return real.math.random() end
  m = kit.int(m, 1, "random")
  if n == nil then m, n = 1, m else n = kit.int(n, 2, "random") end
  if m > n then fail("bad argument #1 to 'random' (interval is empty)") end
  return real.math.random(m, n) + 0.0
end
function maths.pow(a, b) return double(a, 1, "pow") ^ double(b, 2, "pow") end
function maths.log10(v) return real.math.log(double(v, 1, "log10"), 10) end
function maths.atan2(y, x) return real.math.atan(double(y, 1, "atan2"), double(x, 2, "atan2")) end

-- e^v - 1 with all digits where v is small (W. Kahan's way).
local function expm1(v)
  local u = real.math.exp(v)
  if u == 1 then return v end
  local less = u - 1
  if less == -1 then return -1.0 end
  if u == real.math.huge then return u end
  return less * v / real.math.log(u)
end
function maths.sinh(v)
  v = double(v, 1, "sinh")
  local a = v < 0 and -v or v
  if a > 700 then
    local half = real.math.exp(a / 2)
    a = half / 2 * half
  elseif a ~= 0 and a == a then
    local e = expm1(a)
    a = (e + e / (e + 1)) / 2
  end
  return v < 0 and -a or v == 0 and v or a
end
function maths.cosh(v)
  v = double(v, 1, "cosh")
  local half = real.math.exp((v < 0 and -v or v) / 2)
  return half / 2 * half + 0.5 / half / half
end
function maths.tanh(v)
  v = double(v, 1, "tanh")
  if v ~= v or v == 0 then return v end
  if v > 20 then return 1.0 elseif v < -20 then return -1.0 end
  local e = expm1(2 * (v < 0 and -v or v))
  local t = e / (e + 2)
  return v < 0 and -t or t
end
function maths.ldexp(m, e)
  m, e = double(m, 1, "ldexp"), double(e, 2, "ldexp")
  if e > 2200 then e = 2200.0 elseif not (e > -2200) then e = -2200.0 end
  e = e < 0 and ceil(e) or floor(e)
  while e > 1000 do m, e = m * 2.0 ^ 1000, e - 1000 end
  while e < -1000 do m, e = m * 2.0 ^ -1000, e + 1000 end
  return m * 2.0 ^ e
end
function maths.frexp(v)
  v = double(v, 1, "frexp")
  if v == 0 or v - v ~= 0 then return v, 0 end
  local e, m = 0, v < 0 and -v or v
  while m >= 1 do m = m / 2 e = e + 1 end
  while m < 0.5 do m = m * 2 e = e - 1 end
  return v < 0 and -m or m, e
end
kit.math = maths
`;
