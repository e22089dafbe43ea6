/* inventory.cs: prints the members that expressions may use, by reflection over the .NET libraries that it is compiled with:
 *
 *     TYPE <TAB> MEMBER
 *
 * TYPE is the full name with its arity; MEMBER says what distinguishes one member from another: new(string, int),
 * Name, Name(ref int), this[int], operator +(T, T), implicit int->Decimal. A type parameter is !0 (of the type) or !!0 (of the
 * method), so that it does not matter how it is called. tests/expr/inventory.tsv was written by this program and
 * tests/unit/clr/test_inventory.c compares it with the member tables.
 *
 *     mcs -r:System.Core -r:System.Xml -r:System.Xml.Linq -r:Newtonsoft.Json inventory.cs && mono inventory.exe
 *
 * What no expression could call is left out: members with pointers, spans, tasks, reflection's or the serializer's types; and what
 * Azure's list or the language excludes.
 * SPDX-License-Identifier: Apache-2.0 */
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

static class Inventory
{
    /* "Type" (all members) or "Type: A B C". */
    static readonly string[] allowed = {
        "Newtonsoft.Json.Formatting", "Newtonsoft.Json.JsonConvert: SerializeObject DeserializeObject", "Newtonsoft.Json.Linq.Extensions",
        "Newtonsoft.Json.Linq.JArray", "Newtonsoft.Json.Linq.JConstructor", "Newtonsoft.Json.Linq.JContainer",
        "Newtonsoft.Json.Linq.JObject", "Newtonsoft.Json.Linq.JProperty", "Newtonsoft.Json.Linq.JRaw", "Newtonsoft.Json.Linq.JToken",
        "Newtonsoft.Json.Linq.JTokenType", "Newtonsoft.Json.Linq.JValue",
        "System.Array", "System.BitConverter", "System.Boolean", "System.Byte", "System.Char",
        "System.Collections.Generic.Dictionary`2", "System.Collections.Generic.HashSet`1", "System.Collections.Generic.ICollection`1",
        "System.Collections.Generic.IDictionary`2", "System.Collections.Generic.IEnumerable`1",
        "System.Collections.Generic.IEnumerator`1", "System.Collections.Generic.IList`1",
        "System.Collections.Generic.IReadOnlyCollection`1", "System.Collections.Generic.IReadOnlyDictionary`2",
        "System.Collections.Generic.ISet`1", "System.Collections.Generic.KeyValuePair`2", "System.Collections.Generic.List`1",
        "System.Collections.Generic.Queue`1", "System.Collections.Generic.Stack`1", "System.Convert",
        "System.DateTime: .ctor Add AddDays AddHours AddMilliseconds AddMinutes AddMonths AddSeconds AddTicks AddYears Date Day " +
            "DayOfWeek DayOfYear DaysInMonth Hour IsDaylightSavingTime IsLeapYear MaxValue Millisecond Minute MinValue Month Now " +
            "Parse Second Subtract Ticks TimeOfDay Today ToString UtcNow Year op_Addition op_Subtraction op_Equality op_Inequality " +
            "op_LessThan op_LessThanOrEqual op_GreaterThan op_GreaterThanOrEqual",
        "System.DateTimeKind: Utc", "System.DateTimeOffset", "System.Decimal", "System.Double", "System.Enum: Parse TryParse ToString",
        "System.Exception", "System.Guid", "System.Int16", "System.Int32", "System.Int64", "System.IO.StringReader",
        "System.IO.StringWriter", "System.Linq.Enumerable", "System.Math", "System.MidpointRounding",
        "System.Net.IPAddress: AddressFamily Equals GetAddressBytes IsLoopback Parse TryParse ToString", "System.Net.WebUtility",
        "System.Nullable", "System.Nullable`1", "System.Random", "System.SByte", "System.Security.Cryptography.AsymmetricAlgorithm",
        "System.Security.Cryptography.CipherMode", "System.Security.Cryptography.HashAlgorithm",
        "System.Security.Cryptography.HashAlgorithmName", "System.Security.Cryptography.HMAC", "System.Security.Cryptography.HMACMD5",
        "System.Security.Cryptography.HMACSHA1", "System.Security.Cryptography.HMACSHA256", "System.Security.Cryptography.HMACSHA384",
        "System.Security.Cryptography.HMACSHA512", "System.Security.Cryptography.KeyedHashAlgorithm",
        "System.Security.Cryptography.MD5", "System.Security.Cryptography.Oid", "System.Security.Cryptography.PaddingMode",
        "System.Security.Cryptography.RNGCryptoServiceProvider", "System.Security.Cryptography.RSA",
        "System.Security.Cryptography.RSAEncryptionPadding", "System.Security.Cryptography.RSASignaturePadding",
        "System.Security.Cryptography.SHA1", "System.Security.Cryptography.SHA1Managed", "System.Security.Cryptography.SHA256",
        "System.Security.Cryptography.SHA256Managed", "System.Security.Cryptography.SHA384",
        "System.Security.Cryptography.SHA384Managed", "System.Security.Cryptography.SHA512",
        "System.Security.Cryptography.SHA512Managed", "System.Security.Cryptography.SymmetricAlgorithm",
        "System.Security.Cryptography.X509Certificates.PublicKey",
        "System.Security.Cryptography.X509Certificates.RSACertificateExtensions",
        "System.Security.Cryptography.X509Certificates.X500DistinguishedName: Name",
        "System.Security.Cryptography.X509Certificates.X509Certificate", "System.Security.Cryptography.X509Certificates.X509Certificate2",
        "System.Security.Cryptography.X509Certificates.X509ContentType", "System.Security.Cryptography.X509Certificates.X509NameType",
        "System.Single", "System.String", "System.StringComparer", "System.StringComparison", "System.StringSplitOptions",
        "System.Text.Encoding", "System.Text.RegularExpressions.Capture: Index Length Value",
        "System.Text.RegularExpressions.CaptureCollection: Count Item", "System.Text.RegularExpressions.Group: Captures Success",
        "System.Text.RegularExpressions.GroupCollection: Count Item", "System.Text.RegularExpressions.Match: Empty Groups Result",
        "System.Text.RegularExpressions.Regex: .ctor IsMatch Match Matches Replace Unescape Split",
        "System.Text.RegularExpressions.RegexOptions", "System.Text.StringBuilder", "System.TimeSpan", "System.TimeZone",
        "System.TimeZoneInfo", "System.TimeZoneInfo+AdjustmentRule", "System.TimeZoneInfo+TransitionTime", "System.Tuple",
        "System.Tuple`1", "System.Tuple`2", "System.Tuple`3", "System.Tuple`4", "System.Tuple`5", "System.Tuple`6", "System.Tuple`7",
        "System.UInt16", "System.UInt32", "System.UInt64", "System.Uri", "System.UriPartial", "System.Xml.Linq.Extensions",
        "System.Xml.Linq.XAttribute", "System.Xml.Linq.XCData", "System.Xml.Linq.XComment", "System.Xml.Linq.XContainer",
        "System.Xml.Linq.XDeclaration", "System.Xml.Linq.XDocument", "System.Xml.Linq.XDocumentType", "System.Xml.Linq.XElement",
        "System.Xml.Linq.XName", "System.Xml.Linq.XNamespace", "System.Xml.Linq.XNode", "System.Xml.Linq.XNodeDocumentOrderComparer",
        "System.Xml.Linq.XNodeEqualityComparer", "System.Xml.Linq.XObject", "System.Xml.Linq.XProcessingInstruction",
        "System.Xml.Linq.XText", "System.Xml.XmlNodeType", "System.Object: ToString Equals GetHashCode",
    };

    static readonly Dictionary<Type, string> keywords = new Dictionary<Type, string> {
        { typeof(object), "object" }, { typeof(string), "string" }, { typeof(bool), "bool" }, { typeof(char), "char" },
        { typeof(sbyte), "sbyte" }, { typeof(byte), "byte" }, { typeof(short), "short" }, { typeof(ushort), "ushort" },
        { typeof(int), "int" }, { typeof(uint), "uint" }, { typeof(long), "long" }, { typeof(ulong), "ulong" },
        { typeof(float), "float" }, { typeof(double), "double" }, { typeof(decimal), "decimal" }, { typeof(void), "void" },
    };

    static string NameOf(Type t)
    {
        string word;

        if (keywords.TryGetValue(t, out word))
            return word;
        if (t.IsByRef)
            return "ref " + NameOf(t.GetElementType());
        if (t.IsArray)
            return NameOf(t.GetElementType()) + "[" + new string(',', t.GetArrayRank() - 1) + "]";
        if (t.IsGenericParameter)
            return (t.DeclaringMethod != null ? "!!" : "!") + t.GenericParameterPosition;
        if (Nullable.GetUnderlyingType(t) != null && !t.IsGenericTypeDefinition)
            return NameOf(Nullable.GetUnderlyingType(t)) + "?";
        word = t.Name.Split('`')[0];
        if (t.IsGenericType)
            word += "<" + string.Join(",", t.GetGenericArguments().Select(NameOf)) + ">";
        return word;
    }

    static readonly string[] outside = {
        "System.Buffers", "System.Threading", "System.Reflection", "System.Runtime", "System.Linq.Expressions", "System.Dynamic",
        "Newtonsoft.Json.Serialization", "System.ComponentModel", "System.Security.AccessControl",
    };

    /* No expression can have a value of such a type. */
    static bool IsOutside(Type t)
    {
        if (t.HasElementType)
            return t.IsPointer || IsOutside(t.GetElementType());
        if (t.IsGenericType && t.GetGenericArguments().Any(IsOutside))
            return true;
        if (t.IsGenericParameter)
            return false;
        return t == typeof(IntPtr) || t == typeof(TypedReference) || t.Name.StartsWith("Span`") || t.Name.StartsWith("ReadOnlySpan`") ||
               t.Name.StartsWith("Memory`") || t.Name.StartsWith("ReadOnlyMemory`") || t.Name == "SecureString" ||
               outside.Any(o => t.Namespace == o || (t.Namespace ?? "").StartsWith(o + "."));
    }

    /* Operators that the language has itself, what the serializer calls, and what Azure's list takes out again. */
    static bool IsExcluded(Type t, MemberInfo m)
    {
        bool hasOperators = t == typeof(double) || t == typeof(float) || t == typeof(Nullable<>);

        return hasOperators && m.Name.StartsWith("op_") || m.Name == "OnDeserialization" ||
               t == typeof(System.Xml.Linq.XDocument) && m.Name == "Load" ||
               t == typeof(System.Security.Cryptography.SymmetricAlgorithm) && m.Name == "Create" &&
                   ((MethodInfo)m).GetParameters().Length == 0;
    }

    static string Parameters(ParameterInfo[] p)
    {
        return string.Join(",", p.Select(x => NameOf(x.ParameterType)));
    }

    static readonly Dictionary<string, string> operators = new Dictionary<string, string> {
        { "op_Addition", "+" }, { "op_Subtraction", "-" }, { "op_Multiply", "*" }, { "op_Division", "/" }, { "op_Modulus", "%" },
        { "op_Equality", "==" }, { "op_Inequality", "!=" }, { "op_LessThan", "<" }, { "op_LessThanOrEqual", "<=" },
        { "op_GreaterThan", ">" }, { "op_GreaterThanOrEqual", ">=" }, { "op_UnaryNegation", "-" }, { "op_UnaryPlus", "+" },
        { "op_Increment", "++" }, { "op_Decrement", "--" },
    };

    static string Declaration(MethodBase m)
    {
        string name = m.Name, word;

        if (m is ConstructorInfo)
            return "new(" + Parameters(m.GetParameters()) + ")";
        if (name == "op_Implicit" || name == "op_Explicit")
            return (name == "op_Implicit" ? "implicit " : "explicit ") + Parameters(m.GetParameters()) + "->" +
                   NameOf(((MethodInfo)m).ReturnType);
        if (operators.TryGetValue(name, out word))
            return "operator " + word + "(" + Parameters(m.GetParameters()) + ")";
        return name + "(" + Parameters(m.GetParameters()) + ")";
    }

    static IEnumerable<string> Members(Type t, string[] only)
    {
        const BindingFlags all = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

        foreach (var m in t.GetMembers(all)) {
            if (only != null && !only.Contains(m.Name) || IsExcluded(t, m))
                continue;
            var method = m as MethodBase;
            var property = m as PropertyInfo;
            var field = m as FieldInfo;
            if (method != null) {
                bool special = method.IsSpecialName && !method.Name.StartsWith("op_") && !(method is ConstructorInfo);
                var info = method as MethodInfo;
                if (special || method.IsStatic && method is ConstructorInfo || t.IsAbstract && method is ConstructorInfo ||
                    method.GetParameters().Any(p => IsOutside(p.ParameterType)) || info != null && IsOutside(info.ReturnType))
                    continue;
                yield return Declaration(method);
            } else if (property != null && !IsOutside(property.PropertyType)) {
                var index = property.GetIndexParameters();
                string name = index.Length > 0 ? "this[" + Parameters(index) + "]" : property.Name;
                yield return name;
                if (property.GetSetMethod() != null)
                    yield return name + " =";
            } else if (field != null && !(t.IsEnum && field.Name == "value__") && !IsOutside(field.FieldType)) {
                yield return field.Name;
            } else if (m is EventInfo) {
                yield return m.Name;
            }
        }
    }

    static void Main()
    {
        var assemblies = new[] {
            typeof(object).Assembly, typeof(Uri).Assembly, typeof(Enumerable).Assembly, typeof(System.Xml.XmlNodeType).Assembly,
            typeof(System.Xml.Linq.XName).Assembly, typeof(Newtonsoft.Json.Linq.JToken).Assembly,
        };

        foreach (string row in allowed) {
            string name = row.Split(':')[0];
            string[] only = row.Contains(":") ? row.Split(':')[1].Split(' ').Where(s => s != "").ToArray() : null;
            Type t = assemblies.Select(a => a.GetType(name)).FirstOrDefault(x => x != null);
            if (t == null) {
                Console.Error.WriteLine("no type " + name);
                continue;
            }
            foreach (string s in Members(t, only).Distinct().OrderBy(x => x, StringComparer.Ordinal))
                Console.WriteLine(name + "\t" + s);
        }
    }
}
